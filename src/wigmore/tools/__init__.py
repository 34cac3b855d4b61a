"""What agents may call, one file a domain; every call is recorded with its complete output.

A tool is a function under `@tool`: its first parameter is a ToolContext, the others are its arguments (text, int, float, bool
or list of text, with defaults where optional), and it returns a ToolOutput. Outputs are free of clocks and temporary paths.
"""
