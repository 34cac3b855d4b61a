"""Readers of formats that two floors need: `evidence` opens what lies inside, `artifacts` says what stands there.

They import `model` only, take evidence files, and yield plain values; neither floor imports the other for them.
"""
