"""What is shown, saved as a file: the table, an order with its timeline, the screen."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from textual import events

from sectigo_tui.cli.outside import write_file
from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.engine.diagnosis.escalation import REDACTED, redactor
from sectigo_tui.presentation.export import Exported, to_csv, to_json, to_markdown
from sectigo_tui.ui.outside import Outside
from support.ui_stage import Stage, demo_world, on_stage, staged

SECRET = "canary-7Hk2Qp9w"
OLDEST = 2100342


async def save(stage: Stage, key: str, path: Path) -> None:
    """Export something to a file by the keys."""
    await stage.press("e", key)
    await stage.wait(0.5)
    await name_file(stage, path)


async def name_file(stage: Stage, path: Path) -> None:
    """Paste a file's name in place of the one that is offered, and confirm it."""
    await stage.press("ctrl+u")
    stage.app.post_message(events.Paste(str(path)))
    await stage.press("enter")
    await stage.wait(0.5)


def outside() -> Outside:
    return Outside(write_file=write_file)


@on_stage
async def test_the_table_is_saved_as_it_is_shown_filtered_sorted_and_with_its_columns(tmp_path: Path) -> None:
    async with staged(outside=outside(), track=[OLDEST]) as stage:
        await stage.wait(8)
        await stage.press("/", *"applied", "enter", "o", "j", "space", "enter", "S")
        shown = stage.view.table.loaded_ids  # evidence that comes later may put them in another order
        await save(stage, "c", tmp_path / "orders.csv")
        assert "▌ Saved" in stage.text
    with (tmp_path / "orders.csv").open(newline="") as file:
        titles, *rows = list(csv.reader(file))
    assert titles[:5] == ["NEXT POLL", "REQUESTED", "STATE", "BLOCKED ON", "SSLID"]
    assert "DEADLINE" not in titles
    assert [f"#{row[4]}" for row in rows] == list(shown)
    (oldest,) = [row for row in rows if row[4] == str(OLDEST)]
    assert oldest[0].startswith("2026-03-02T03:00:")
    assert oldest[1:4] == ["2026-02-26T03:00:00Z", "APL", "CA"]
    assert (tmp_path / "orders.csv").stat().st_mode & 0o777 == 0o600


@on_stage
async def test_json_names_what_it_is_about_and_says_null_for_what_is_not_known(tmp_path: Path) -> None:
    async with staged(outside=outside(), track=[OLDEST]) as stage:
        await stage.press("/", *"2100342", "enter")
        await save(stage, "j", tmp_path / "orders.json")
    told = json.loads((tmp_path / "orders.json").read_text())
    (row,) = told.pop("rows")
    assert told == {
        "view": "Pending",
        "customer": "acme",
        "filter": "2100342",
        "exported_at": told["exported_at"],
    }
    assert row["ssl_id"] == OLDEST
    assert row["common_name"] == "online-banking.acme.example"
    assert row["in_use_until"] is None


@pytest.mark.parametrize(("view", "words"), [("4", "tracked, SCM status Applied"), ("5", "5 s +-20% after poll 1")])
@on_stage
async def test_a_list_that_is_not_of_orders_is_saved_as_its_text(tmp_path: Path, view: str, words: str) -> None:
    async with staged(outside=outside(), track=[OLDEST], size=(120, 24)) as stage:
        await stage.press(view)
        await save(stage, "m", tmp_path / "list.md")
    text = (tmp_path / "list.md").read_text()
    assert words in text
    assert f" {OLDEST} |" in text


@on_stage
async def test_pages_that_are_not_loaded_are_said_to_be_left_out(tmp_path: Path) -> None:
    async with staged(outside=outside()) as stage:
        await stage.press("3")
        await stage.wait(1)
        loaded, total = len(stage.view.table.loaded_ids), stage.view.table.row_count
        await stage.press("e", "c")
        await stage.wait(0.5)
        assert f"{total - loaded:,} rows are not loaded, and left out: L loads all." in stage.text


@on_stage
async def test_an_order_is_saved_with_its_timeline(tmp_path: Path) -> None:
    async with staged(outside=outside(), track=[OLDEST]) as stage:
        await stage.press("g")
        await save(stage, "r", tmp_path / "order.json")
        await save(stage, "o", tmp_path / "order.md")
    order = json.loads((tmp_path / "order.json").read_text())
    assert (order["ssl_id"], order["scm_status"], order["state"]) == (OLDEST, "Applied", "pending")
    assert order["timeline"][0]["summary"] == "tracked, SCM status Applied"
    assert order["timeline"][0]["at"] == "2026-03-02T03:00:00Z"
    text = (tmp_path / "order.md").read_text()
    assert text.startswith("# online-banking.acme.example\n")
    assert "- scm status: Applied\n" in text
    assert "| 2026-03-02 03:00:00 | tracked, SCM status Applied |" in text


@on_stage
async def test_the_order_under_the_cursor_is_saved_whatever_the_list_does_meanwhile(tmp_path: Path) -> None:
    async with staged(outside=outside()) as stage:
        await stage.press("e", "o")
        await stage.wait(0.3)
        assert f"order-{OLDEST}-20260302T" in stage.text
        stage.view.table.move_to_index(5)
        await name_file(stage, tmp_path / "order.md")
    assert "online-banking" in (tmp_path / "order.md").read_text()


@on_stage
async def test_without_an_order_only_table_and_screen_can_be_saved() -> None:
    async with staged(outside=outside()) as stage:
        await stage.press("/", *"zzz", "enter", "e", "o")
        assert "Order as Markdown: no order here" in stage.text


@on_stage
async def test_the_screen_is_saved_as_a_picture_without_the_dialog(tmp_path: Path) -> None:
    async with staged(outside=outside()) as stage:
        await save(stage, "s", tmp_path / "screen.svg")
    picture = (tmp_path / "screen.svg").read_text()
    ET.fromstring(picture)
    assert "online-banking" in picture
    assert "Table&#160;as&#160;CSV" not in picture


@on_stage
async def test_a_file_that_is_there_is_replaced_only_after_a_question(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("precious")
    async with staged(outside=outside()) as stage:
        await save(stage, "c", path)
        assert "Replace the file?" in stage.text
        await stage.press("enter")
        assert "Export: Table as CSV" in stage.text
        await stage.press("escape")
        assert path.read_text() == "precious"
        await save(stage, "c", path)
        await stage.press("tab", "enter")
        await stage.wait(0.5)
    assert path.read_text().startswith("NEXT POLL,")


@on_stage
async def test_a_place_that_cannot_be_written_is_told_and_another_can_be_named(tmp_path: Path) -> None:
    async with staged(outside=outside()) as stage:
        await save(stage, "c", tmp_path / "no" / "such" / "orders.csv")
        assert "is no directory" in stage.text
        assert "Export: Table as CSV" in stage.text
        await name_file(stage, tmp_path / "orders.csv")
    assert (tmp_path / "orders.csv").exists()


@pytest.mark.parametrize("key", ["c", "j", "m", "o", "r", "s"])
@on_stage
async def test_nothing_that_is_saved_holds_the_password(tmp_path: Path, key: str) -> None:
    world = demo_world()
    world.account.credentials.password = SECRET
    order = world.add_order(
        life="ov-vetting", common_name=f"{SECRET}.acme.example", comments=f"password: {SECRET} for the api"
    )
    async with staged(world, outside=outside(), size=(80, 40)) as stage:
        assert stage.view.table.move_to_id(f"#{order.ssl_id}")
        await stage.wait(2)
        assert SECRET in stage.row(order.ssl_id)
        await save(stage, key, tmp_path / "saved")
    assert SECRET not in (tmp_path / "saved").read_text()


def a_table(*cells: str) -> Exported:
    return Exported({"view": "Pending"}, ("common_name",), ("COMMON NAME",), [(cell,) for cell in cells])


def plain(text: str) -> str:
    return text


@pytest.mark.parametrize(
    "name",
    [
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2+3",
        "@SUM(1)",
        "\t=1+1",
        "\r=1+1",
        "  =1+1",
        "\N{FULLWIDTH EQUALS SIGN}1+1",
        "\n-1",
    ],
)
def test_no_cell_is_a_formula_for_a_spreadsheet(name: str) -> None:
    text = to_csv(a_table(name), plain)
    (_, (cell,)) = csv.reader(io.StringIO(text, newline=""))
    assert cell.startswith("'") or not cell.lstrip().startswith(("=", "+", "-", "@"))
    assert cell.isprintable()


def test_csv_keeps_what_is_no_formula_as_it_is() -> None:
    text = to_csv(a_table('a "quoted", name', "www.acme.example", "bücher.example"), plain)
    assert [row for (row,) in csv.reader(io.StringIO(text, newline=""))] == [
        "COMMON NAME",
        'a "quoted", name',
        "www.acme.example",
        "bücher.example",
    ]
    assert "\r\n" in text


def test_markdown_shows_a_name_as_it_is_and_acts_on_none() -> None:
    text = to_markdown(a_table("a|b", "<img src=x>", "[x](http://evil)", "\x1b[31mred"), plain)
    assert text.count("\n|") == 6
    assert "<img" not in text.replace("\\<img", "")
    assert "\x1b" not in text


def test_json_keeps_text_exactly_and_nothing_acts_on_a_terminal() -> None:
    text = to_json(a_table("\x1b[31m\u202e"), plain)
    assert text.isascii()
    assert json.loads(text)["rows"] == [{"common_name": "\x1b[31m\u202e"}]


@pytest.mark.parametrize("form", [to_csv, to_json, to_markdown])
def test_credentials_are_taken_out_of_untrusted_text(form: object) -> None:
    redact = redactor([SecretText(SECRET)])
    text = form(a_table(f"host {SECRET} x"), redact)  # type: ignore[operator] # one of three functions of one shape
    assert SECRET not in text
    assert REDACTED.strip("[]") in text


def test_a_file_is_never_written_over_by_accident(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    assert write_file(path, b"one", replace=False)
    assert not write_file(path, b"two", replace=False)
    assert path.read_bytes() == b"one"
    assert write_file(path, b"two", replace=True)
    assert path.read_bytes() == b"two"
    with pytest.raises(InputError):
        write_file(tmp_path / "a\0b", b"", replace=False)
    with pytest.raises(InputError):
        write_file(tmp_path, b"", replace=True)
