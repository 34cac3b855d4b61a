"""The examiner's lists, applied to each file while it is read: keywords, hash sets, YARA rules, indicators."""
