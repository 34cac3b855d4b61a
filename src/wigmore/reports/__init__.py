"""What a case looks like on paper and to other programs, one file a format.

A format is a function under `@report_format(name)`: it is given a ReportData and a folder and writes one file, named by it.
"""
