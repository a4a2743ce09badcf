"""The table of outcomes by category."""

from deploy.local.demo.outcomes import outcome_table

FOUND = [("un_member_state", "eligible"), ("un_member_state", "eligible"), ("technology_company", "on_hold")]


def test_rows_are_categories_columns_outcomes_and_the_sums_stand_at_the_end() -> None:
    columns, rows = outcome_table(FOUND)
    assert columns == ["Category", "Eligible", "Incomplete", "Not eligible", "Referred", "On hold", "All"]
    assert rows == [
        ["Technology company", "", "", "", "", "1", "1"],
        ["UN member state", "2", "", "", "", "", "2"],
        ["All", "2", "", "", "", "1", "3"],
    ]


def test_an_outcome_nobody_foresaw_has_a_column_too() -> None:
    columns, rows = outcome_table([*FOUND, ("un_member_state", "withdrawn")])
    assert columns[-2:] == ["Withdrawn", "All"]
    assert rows[-1][-2:] == ["1", "4"]


def test_a_table_of_nothing_is_empty() -> None:
    assert outcome_table([])[1] == [["All", "", "", "", "", "", ""]]
