"""The fixtures of the house case, for every test of this folder."""

from conftest_house import extracted, house, only_the_cases_own_rules, opened

__all__ = ["extracted", "house", "only_the_cases_own_rules", "opened"]
