from conflux.neutral.plans import Plan, PlanWindow


def test_a_window_is_named_as_people_say_it():
    names = {5 * 3600: "5 hours", 604_800: "1 week", 2 * 86_400: "2 days", 60: "1 minute", 90: "90 seconds"}
    assert {seconds: PlanWindow(seconds=seconds).name for seconds in names} == names


def test_the_longest_window_of_a_plan():
    windows = (PlanWindow(seconds=60), PlanWindow(seconds=3600))
    assert Plan(id="p", name="P", storefront="s", windows=windows).longest == 3600
