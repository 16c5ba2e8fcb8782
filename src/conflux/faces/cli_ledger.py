"""`conflux ledger` and `conflux reconcile`: the books checked, mended, read out, and held against a provider's invoice.

Law: what only reads works beside a running server. Standard output is the answer alone, progress goes to standard
error, and an exit code of 1 says that something does not hold.
"""

import contextlib
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Protocol

import msgspec
import typer

from conflux.billing.reconcile import Difference, unsaid
from conflux.faces.cli_common import ConfigFlag, DataFlag, JsonFlag, Operates, fields, out, out_json, table
from conflux.faces.public import receipt_view
from conflux.faces.reconciling import NEAR, invoice_of, shown, span_of
from conflux.faces.reconciling import reconcile as reconcile_with
from conflux.faces.usage import harmless
from conflux.neutral.errors import ConfigError
from conflux.neutral.ledger import request_id_text
from conflux.neutral.money import credits_text, usd
from conflux.neutral.reports import Asked, Exported, Span
from conflux.neutral.usage import BUCKETS

_FILTERS = ("model", "key", "user", "workspace", "storefront")


class Books(Protocol):
    """What is read beside a server."""

    def count(self, span: Span) -> int: ...
    def receipts(self, span: Span) -> Iterator[Exported]: ...
    def asked(self, provider: str, span: Span) -> Iterator[Asked]: ...
    def close(self) -> None: ...


class Keeps(Operates, Protocol):
    def verify(self, flags: dict[str, Any]) -> dict[str, int]: ...
    def books(self, flags: dict[str, Any]) -> Books: ...


FromFlag = Annotated[str | None, typer.Option("--from", help="First day, such as 2026-11-01 (UTC).")]
ToFlag = Annotated[str | None, typer.Option("--to", help="Last day, within.")]


def add_ledger(app: typer.Typer, actions: Keeps) -> None:
    ledger = typer.Typer(no_args_is_help=True, help="Look after the ledger.", rich_markup_mode=None)
    app.add_typer(ledger, name="ledger")

    @ledger.command(epilog="Example:  conflux ledger verify --json")
    def verify(config: ConfigFlag = None, data: DataFlag = None, json: JsonFlag = False) -> None:
        """Check every invariant; exits 0 only if everything holds. Works beside a running server."""
        found = actions.verify({"config": config, "data": data})
        if json:
            out_json(found)
        else:
            for name, count in found.items():
                out(f"{name:32} {count}")
        if any(count for name, count in found.items() if not name.startswith("checked")):
            raise typer.Exit(1)

    @ledger.command(epilog="Example:  conflux ledger rebuild")
    def rebuild(config: ConfigFlag = None, data: DataFlag = None, json: JsonFlag = False) -> None:
        """Make budgets and sums anew from receipts, entries and holds. On books in order it changes nothing."""
        done = actions.operate({"config": config, "data": data}, "ledger.rebuild", {})
        out_json(done) if json else out(f"{done['rebuilt']} rows were wrong, and are right now")

    @ledger.command(epilog="Examples:  conflux ledger refund req_0123456789abcdef --note sorry   |   … --usd 0.01")
    def refund(
        receipt: Annotated[str, typer.Argument(help="The receipt's id: the answer's x-request-id.")],
        usd: Annotated[str | None, typer.Option(help="A part of what was paid; else all.")] = None,
        note: Annotated[str, typer.Option(help="Why, for the log of what admins did.")] = "",
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Give back what a request cost, once. Budgets and sums count it as not spent."""
        asked = {"id": receipt, "usd": usd, "note": note}
        done = actions.operate({"config": config, "data": data}, "ledger.refund", asked)
        out_json(done) if json else fields(done)

    _add_export(ledger, actions)
    _add_reconcile(app, actions)


def _add_export(ledger: typer.Typer, actions: Keeps) -> None:
    @ledger.command(
        epilog="Examples:  conflux ledger export > receipts.csv   |   conflux ledger export --format jsonl "
        "--from 2026-11-01 --to 2026-11-30 --workspace acme --output november.jsonl"
    )
    def export(
        form: Annotated[str, typer.Option("--format", help="csv or jsonl.")] = "csv",
        first: FromFlag = None,
        last: ToFlag = None,
        model: Annotated[str | None, typer.Option(help="Only this model, as it was asked for.")] = None,
        key: Annotated[str | None, typer.Option(help="Only this key, by its id.")] = None,
        user: Annotated[str | None, typer.Option(help="Only this user.")] = None,
        workspace: Annotated[str | None, typer.Option(help="Only this workspace.")] = None,
        storefront: Annotated[str | None, typer.Option(help="Only this storefront.")] = None,
        output: Annotated[Path | None, typer.Option(help="A file instead of standard output.")] = None,
        config: ConfigFlag = None,
        data: DataFlag = None,
    ) -> None:
        """Every receipt as CSV or JSON lines, oldest first. Works beside a running server."""
        if form not in ("csv", "jsonl"):
            raise ConfigError([f"ledger export: --format is csv or jsonl, not {form!r}"])
        span = span_of("ledger export", first, last)
        wanted = {"model": model, "key": key, "user": user, "workspace": workspace, "storefront": storefront}
        with contextlib.closing(actions.books({"config": config, "data": data})) as books, _writing(output) as file:
            write = _csv_writer(file) if form == "csv" else _json_writer(file)
            for one in progress(books.receipts(span), books.count(span), "receipts"):
                if all(value in (None, _facts(one)[name]) for name, value in wanted.items()):
                    write(one)


@contextlib.contextmanager
def _writing(output: Path | None) -> Iterator[Any]:
    if output is None:
        yield sys.stdout
        return
    try:
        with output.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise ConfigError([f"ledger export: {output}: {error.strerror or error}"]) from None


def _facts(one: Exported) -> dict[str, str]:
    return {"model": one.receipt.requested_model, "key": one.key, "user": one.user, "workspace": one.workspace,
            "storefront": one.receipt.storefront}  # fmt: skip


_COLUMNS = (
    *("id", "created", "key", "user", "workspace", "storefront", "requested_model", "served_model", "ending", "status"),
    *("cost_usd", "refunded_usd", "variance_usd", "provider_cost_usd", "credits"),
    *(*BUCKETS, "provenance", "price_version", "simulated", "tags"),
)


def _csv_writer(file: Any) -> Any:
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)

    def write(one: Exported) -> None:
        receipt = one.receipt
        usage = [getattr(receipt.usage, bucket) for bucket in BUCKETS]
        tags = msgspec.json.encode(one.tags, order="deterministic").decode() if one.tags else ""
        writer.writerow([
            request_id_text(receipt.request_id), receipt.created, one.key, harmless(one.user), harmless(one.workspace),
            receipt.storefront, harmless(receipt.requested_model), receipt.served_model or "", receipt.ending.value,
            receipt.status, usd(receipt.cost), usd(receipt.refunded), usd(one.variance), usd(one.provider_cost),
            credits_text(receipt.credits), *usage, receipt.provenance.value, receipt.price_version,
            str(receipt.simulated).lower(), tags,
        ])  # fmt: skip

    return write


def _json_writer(file: Any) -> Any:
    def write(one: Exported) -> None:
        whose = {"key": one.key, "user": one.user, "workspace": one.workspace, "tags": one.tags}
        house = {"variance_usd": usd(one.variance), "provider_cost_usd": usd(one.provider_cost)}
        file.write(msgspec.json.encode({**receipt_view(one.receipt, admin=True), **whose, **house}).decode() + "\n")

    return write


def progress(items: Iterator[Any], total: int, what: str) -> Iterator[Any]:
    """A bar on standard error, where somebody looks at it."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        for number, item in enumerate(items, 1):
            if number % 1000 == 0:
                bar.update(task, completed=number)
            yield item


def _add_reconcile(app: typer.Typer, actions: Keeps) -> None:
    @app.command(
        epilog="Examples:  conflux reconcile usage.csv --provider openrouter   |   conflux reconcile invoice.json "
        "--provider openai --columns id=response_id,cost=usd_total --from 2026-11-01 --to 2026-11-30"
    )
    def reconcile(
        file: Annotated[Path, typer.Argument(help="The provider's invoice or usage export: CSV, JSON or JSON lines.")],
        provider: Annotated[str, typer.Option(help="The provider's id, as in the configuration.")],
        columns: Annotated[str, typer.Option(help="Which column is what: id, cost, input, output, model.")] = "",
        first: FromFlag = None,
        last: ToFlag = None,
        tolerance: Annotated[
            str, typer.Option("--tolerance-usd", help="Two costs this near are the same: ours are rounded up.")
        ] = NEAR,
        config: ConfigFlag = None,
        data: DataFlag = None,
        json: JsonFlag = False,
    ) -> None:
        """Hold a provider's invoice against the ledger: what is missing, extra or differs. Exits 0 only if nothing."""
        span = span_of("reconcile", first, last)
        invoice = invoice_of(_content(file), file.name, columns)
        with contextlib.closing(actions.books({"config": config, "data": data})) as books:
            found, counts = reconcile_with(books, invoice, provider, span, tolerance, _watched)
        _tell(found, counts, unsaid(invoice), json=json)
        if found:
            raise typer.Exit(1)


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError([f"reconcile: {file}: {error.strerror or error}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"reconcile: {file} is not UTF-8: {error.reason} at byte {error.start}"]) from None


def _watched(calls: Iterator[Asked], total: int) -> Iterator[Asked]:
    return progress(calls, total, "calls")


def _tell(found: list[Difference], counts: dict[str, int], left: dict[str, int], *, json: bool) -> None:
    never = [field for field, count in left.items() if count == counts["invoice"]]
    if never:
        hint = f"say --columns {never[0]}=NAME where it is"
        print(f"conflux: the invoice does not say, so not compared: {', '.join(never)} ({hint})", file=sys.stderr)
    for field, count in left.items():
        if field not in never:
            print(f"conflux: {count} lines of the invoice do not say {field}, so it was not compared", file=sys.stderr)
    if json:
        out_json(shown(found, counts))
        return
    if found:
        table(["what", "provider's id", "where", "field", "ours", "theirs"], [list(one) for one in found])
    told = ", ".join(f"{counts[kind]} {kind}" for kind in ("missing", "extra", "differs"))
    lines, calls, unnamed = counts["invoice"], counts["ledger"], counts["without_id"]
    print(f"conflux: {lines} lines of the invoice, {calls} calls in the ledger: {told}", file=sys.stderr)
    if unnamed:
        print(f"conflux: {unnamed} calls have no id of the provider and were left out", file=sys.stderr)
