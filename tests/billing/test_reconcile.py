"""Twin of billing/reconcile.py: dropped, added and altered lines are each found, and nothing else."""

import json
import random

import pytest

from conflux.billing.reconcile import Billed, Difference, compare, exact, of_nano, read, shown, unsaid
from conflux.neutral.errors import ConfigError

LEDGER = [Billed(f"gen-{n}", of_nano(1000 + n), 10 + n, 20, "acme/one", f"req_{n}") for n in range(200)]


def invoice(lines=LEDGER):
    return [one._replace(place=f"line {n}") for n, one in enumerate(lines, 2)]


def test_an_invoice_that_agrees():
    shuffled = invoice()
    random.Random(1).shuffle(shuffled)
    assert compare(shuffled, LEDGER) == []


def test_dropped_added_and_altered_lines_are_each_found():
    lines = invoice()
    del lines[7]
    lines[50] = lines[50]._replace(cost=1)
    lines[60] = lines[60]._replace(input=9, model="acme/two")
    lines.append(Billed("gen-x", 5, place="line 999"))
    lines.append(lines[3])
    found = compare(lines, LEDGER)
    assert [(one.kind, one.id, one.field) for one in found] == [
        ("differs", lines[50].id, "cost"),
        ("differs", lines[60].id, "model"),
        ("differs", lines[60].id, "input"),
        ("extra", "gen-x", ""),
        ("extra", lines[3].id, "id"),
        ("missing", "gen-7", ""),
    ]
    assert found[2].ours != "9" and found[2].theirs == "9" and found[-1].place == "req_7"


def test_costs_that_are_near_are_the_same():
    ours, theirs = Billed("a", of_nano(10)), Billed("a", of_nano(3), place="line 2")
    assert compare([theirs], [ours], 7 * 10**9) == []
    assert compare([theirs], [ours], 7 * 10**9 - 1) == [
        Difference("differs", "a", "line 2", "cost", "0.00000001", "0.000000003")
    ]


def test_what_the_invoice_does_not_say_is_not_compared():
    assert compare([Billed("a")], [Billed("a", 5, 6, 7, "m")]) == []


def test_one_call_twice_in_the_ledger_is_told():
    assert [one.ours for one in compare([Billed("a")], [Billed("a"), Billed("a")])] == ["twice"]


ROWS = [
    {"generation_id": "a", "total_cost": "0.000001", "tokens_prompt": "1,234", "tokens_completion": "5", "model": "m"},
    {"generation_id": "b", "total_cost": "", "tokens_prompt": "", "tokens_completion": "0", "model": ""},
]
READ = [(10**12, 1234, 5, "m"), (None, None, 0, None)]


def as_csv(rows):
    lines = [",".join(rows[0])] + [",".join(f'"{value}"' for value in row.values()) for row in rows]
    return "\r\n".join(lines) + "\r\n"


@pytest.mark.parametrize(
    "text",
    [
        as_csv(ROWS),
        "\ufeff" + as_csv(ROWS),
        json.dumps(ROWS),
        json.dumps({"object": "list", "data": ROWS}),
        "\n".join(map(json.dumps, ROWS)) + "\n",
        as_csv(ROWS)
        .replace('","', '";"')
        .replace("id,total_cost,tokens_prompt,tokens_completion,", "id;total_cost;tokens_prompt;tokens_completion;"),
    ],
)
def test_each_form_is_read_alike(text):
    found = read(text, "x", {})
    assert [(one.cost, one.input, one.output, one.model) for one in found] == READ
    assert [one.id for one in found] == ["a", "b"]


def test_json_numbers_are_exact():
    (one,) = read('[{"id": "a", "cost": 1.1e-06, "input_tokens": 7}]', "x", {})
    assert (one.cost, one.input) == (1_100_000_000_000, 7)


def test_what_lies_in_an_object_is_a_column_of_its_own():
    text = '[{"id": "a", "usage": {"prompt_tokens": 7, "completion_tokens": 8}, "bill": {"usd": "0.5"}}]'
    (one,) = read(text, "x", {"cost": "bill.usd"})
    assert (one.cost, one.input, one.output) == (5 * 10**17, 7, 8)


def test_what_no_line_says_is_told():
    assert unsaid(invoice()) == {}
    assert unsaid([Billed("a", 1), Billed("b", None, 2)]) == {"cost": 1, "input": 1, "output": 2, "model": 2}


def test_heads_may_be_written_as_people_write_them():
    text = "Request ID, Cost ,Prompt Tokens,Currency\na,0.5,7,usd\nb,1,8,\n"
    assert [(one.id, one.cost, one.input) for one in read(text, "x", {})] == [("a", 5 * 10**17, 7), ("b", 10**18, 8)]


def test_the_first_line_of_json_need_not_say_all():
    found = read('[{"id": "a"}, {"id": "b", "cost": "2"}]', "x", {})
    assert [one.cost for one in found] == [None, 2 * 10**18]


def test_columns_can_be_named():
    (one,) = read("what,id,paid\nz,a,2\n", "x", {"id": "what", "cost": "paid"})
    assert (one.id, one.cost) == ("z", 2 * 10**18)


@pytest.mark.parametrize(
    ("text", "said", "words"),
    [
        ("", {}, "no lines"),
        ("a,b\n1,2\n", {}, "--columns id="),
        ("id,b\n1,2\n", {"colour": "b"}, "colour"),
        ("id,b\n1,2\n", {"cost": "c"}, "'c'"),
        ("id,cost\n1,much\n", {}, "line 2: cost"),
        ("id,model\na,m\n", {}, "--columns cost="),
        ("id;cost\n1;0,5\n", {}, "line 2: cost: '0,5'"),
        (f"id,cost\n{'1' * 200_000},5\n", {}, "line 1: this is no CSV"),
        ("id,input_tokens\n1,1.5\n", {}, "line 2: input_tokens"),
        ("id,cost\n,1\n", {}, "line 2: id is empty"),
        ("id,cost,currency\na,1,USD\nb,1,EUR\n", {}, "line 3: 'EUR' is not USD"),
        ('[{"id": "a"}, 5]', {}, "row 2"),
        ('{"id": "a", "cost": 1}\n{"id": \n', {}, "line 2"),
    ],
)
def test_a_mistake_is_told_with_its_place(text, said, words):
    with pytest.raises(ConfigError) as caught:
        read(text, "x.csv", said)
    assert words in " ".join(caught.value.problems)


def test_decimals_are_exact_both_ways():
    for text in ("0", "1", "0.000000000000000001", "12.5", "-3.25"):
        assert shown(exact(text)) == text
    assert exact("$1.50") == exact("1.5") == exact("15e-1")
    for text in ("", "nan", "1,5", "0x1", "1.5.1"):
        with pytest.raises(ValueError):
            exact(text)


def test_nesting_without_end_is_no_invoice():
    for text in ("[" * 100_000, "{}\n" + '{"a":' * 100_000):
        with pytest.raises(ConfigError, match="neither CSV nor JSON"):
            read(text, "i.json", {})
