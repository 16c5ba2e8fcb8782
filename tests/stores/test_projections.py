"""Twin of stores/projections.py."""

import random

from conflux.stores.budgets import span_of
from conflux.stores.projections import figures, figures_of, stored
from tests.stores.books import DAY, NOON, ending, order

KINDS: tuple[tuple[str, int | str], ...] = (
    ("key", 1),
    ("key", 2),
    ("user", 1),
    ("workspace", 1),
    ("storefront", "conflux"),
    ("storefront", "inference"),
)


async def test_projections_follow_from_entries_and_holds_alone(books, ledger):
    """Against sums made by hand, over days, keys and storefronts."""
    chance = random.Random(7)
    made = []
    for kind, owner in KINDS[:3]:
        for window in ("total", "day", "week", "month"):
            await ledger.set_budget(kind, owner, window, None)
    for _ in range(60):
        one = order(
            100,
            moment=NOON + chance.randrange(40) * DAY,
            caller_key=chance.choice((1, 2, 3)),
            caller_user=chance.choice((1, 2)),
            storefront=chance.choice(("conflux", "inference", "other")),
            simulated=chance.random() < 0.2,
        )
        paid = chance.choice((None, 0, 40, 100, 150))
        await ledger.reserve(one)
        if paid is not None:
            await ledger.settle(ending(one.request_id, paid))
        made.append((one, paid))
    for kind, owner in KINDS[3:]:
        for window in ("total", "day", "week", "month"):
            await ledger.set_budget(kind, owner, window, None)

    expected: dict[tuple[str, object, str, int], list[int]] = {}
    for one, paid in made:
        owners = {"key": one.caller_key, "user": one.caller_user, "workspace": 1, "storefront": one.storefront}
        for kind, owner in KINDS:
            if owners[kind] == owner and not one.simulated:
                for window in ("total", "day", "week", "month"):
                    pair = expected.setdefault((kind, owner, window, span_of(window, one.created).start), [0, 0])
                    pair[0] += min(paid or 0, 100)
                    pair[1] += 100 if paid is None else 0
    expected = {name: pair for name, pair in expected.items() if any(pair)}

    names = await ledger.read(
        lambda run: {
            row[0]: (row[1], row[2] or row[3], row[4])
            for row in run.execute(
                "SELECT budget.id, kind, storefront.name, scope_id, period FROM budget"
                " LEFT JOIN storefront ON kind = 'storefront' AND storefront.id = scope_id"
            )
        }
    )
    for how in (figures, stored):
        found = await ledger.read(how)
        assert {(*names[budget], start): pair for (budget, start), pair in found.items()} == expected
    for kind, owner in KINDS:
        for window in ("total", "day", "week", "month"):
            alone = await ledger.read(lambda run, k=kind, o=owner, w=window: dict(figures_of(run, k, o, w)))
            assert {start: pair for start, pair in alone.items() if any(pair)} == {
                name[3]: pair for name, pair in expected.items() if name[:3] == (kind, owner, window)
            }
    assert books.clean()


async def test_empty_books_project_nothing(ledger):
    assert await ledger.read(figures) == {}
    assert await ledger.rebuild() == 0
