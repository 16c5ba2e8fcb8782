from conflux.billing.plans import plan_lines
from conflux.neutral.ledger import Line
from conflux.neutral.plans import Plan, PlanWindow
from conflux.neutral.usage import Usage


def test_a_receipt_names_plan_and_window_and_no_money():
    windows = (PlanWindow(seconds=18_000, requests=5), PlanWindow(seconds=604_800, requests=9, tokens=100))
    found = plan_lines(Plan(id="agents", name="A", storefront="s", windows=windows), Usage(input=3, output=4))
    assert found == (
        Line("plan:agents requests of 5 hours", 1, 0, 0),
        Line("plan:agents requests of 1 week", 1, 0, 0),
        Line("plan:agents tokens of 1 week", 7, 0, 0),
    )
