"""A server that speaks as much of the Sheets v4, Drive v3 and OAuth token APIs as reading and editing a sheet needs, with faults.

Shapes, codes and error bodies are those of Google's reference; what it refuses (a wrong signature, a scope too wide, a tab
that is not there, a range outside of the grid) it refuses as they do.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import secrets
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.integration.landing.faulty_http import FaultyHandler, FaultyServer, serve
from tests.integration.landing.sheets_edits import apply_edits, id_of
from tests.integration.landing.sheets_faults import Refused, no_grant

EMAIL = "reader@regulars-tests.iam.gserviceaccount.com"
READ_ONLY = {
    "https://www.googleapis.com/auth/spreadsheets.readonly",
    "https://www.googleapis.com/auth/drive.metadata.readonly",
}
WRITING = {"https://www.googleapis.com/auth/spreadsheets", "https://www.googleapis.com/auth/drive.metadata.readonly"}
FILES_PER_PAGE = 2


@dataclass
class Tab:
    """`cells` are rows of values; (value, type) is one with a number format, None an empty one. `format` is the number format
    of all cells, `validated` the values that a column (from 0) may have."""

    cells: list[list[Any]]
    rows: int = 1000
    columns: int = 26
    hidden: bool = False
    kind: str = "GRID"
    id: int | None = None
    format: str = ""
    validated: dict[int, list[str]] = field(default_factory=dict)


@dataclass
class Book:
    """A spreadsheet; `edit` counts what Drive would show as its time of change, `editable`: the account is an editor."""

    title: str
    tabs: dict[str, Tab]
    edit: int = 0
    shared: bool = True
    editable: bool = True

    @property
    def modified(self) -> str:
        return f"2026-01-25T08:{self.edit // 60:02d}:{self.edit % 60:02d}.000Z"


@dataclass
class Server(FaultyServer):
    key: dict[str, str]
    public: Any  # the key's other half
    books: dict[str, Book] = field(default_factory=dict)
    tokens: dict[str, set[str]] = field(default_factory=dict)  # and what they are for
    drive_is_enabled: bool = True

    @property
    def credentials(self) -> str:
        return json.dumps(self.key)


class Handler(FaultyHandler):
    place: Server

    def reply(self) -> None:
        try:
            super().reply()
        except Refused as error:
            self.answer(error.code, json.dumps(error.body).encode(), error.headers)

    def found(self) -> tuple[int, dict[str, Any]]:
        if self.command == "GET":
            return 200, self._read()
        return 200, self._token() if urlsplit(self.path).path == "/token" else self._edited()

    def answer(self, code: int, body: bytes, headers: dict[str, str]) -> None:
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            body, headers = gzip.compress(body, 1), {**headers, "Content-Encoding": "gzip"}
        super().answer(code, body, headers)

    def _token(self) -> dict[str, Any]:
        form, place = parse_qs(self.body), self.place
        if urlsplit(self.path).path != "/token" or form["grant_type"] != [
            "urn:ietf:params:oauth:grant-type:jwt-bearer"
        ]:
            raise Refused(404, "not found")
        signed, _, signature = form["assertion"][0].rpartition(".")
        header, claims = (json.loads(_unpadded(part)) for part in signed.split("."))
        try:
            place.public.verify(_unpadded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            raise no_grant() from None
        now, scopes = time.time(), set(claims["scope"].split())
        is_good = claims["iss"] == EMAIL and claims["aud"].endswith("/token") and header["alg"] == "RS256"
        if not is_good or not claims["iat"] - 60 <= now < claims["exp"] or scopes not in (READ_ONLY, WRITING):
            raise no_grant()
        token = secrets.token_urlsafe(20)
        place.tokens[token] = scopes
        return {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}

    def _scopes(self) -> set[str]:
        scopes = self.place.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if scopes is None:
            raise Refused(401, "Request had invalid authentication credentials.")
        return scopes

    def _edited(self) -> dict[str, Any]:
        match = re.fullmatch(r"/v4/spreadsheets/([^/:]+):batchUpdate", unquote(urlsplit(self.path).path))
        if match is None:
            raise Refused(404, "not found")
        if self._scopes() != WRITING:
            raise Refused(403, "Insufficient scopes", "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
        book = self._book(match[1])
        if not book.editable:
            raise Refused(403, "The caller does not have permission")
        replies = apply_edits(book, Tab, json.loads(self.body)["requests"])
        return {"spreadsheetId": match[1], "replies": replies}

    def _read(self) -> dict[str, Any]:
        self._scopes()
        address = urlsplit(self.path)
        asked = parse_qs(address.query)
        path = unquote(address.path)
        if path == "/drive/v3/files":
            return self._files(asked)
        if match := re.fullmatch(r"/drive/v3/files/([^/]+)", path):
            self._drive()
            book = self._book(match[1], drive=True)
            return {"id": match[1], "name": book.title, "createdTime": "2026-01-01T00:00:00.000Z",
                    "modifiedTime": book.modified}  # fmt: skip
        if match := re.fullmatch(r"/v4/spreadsheets/([^/:]+)/values:batchGet", path):
            book = self._book(match[1])
            return {
                "spreadsheetId": match[1],
                "valueRanges": [_values(book, place, asked) for place in asked["ranges"]],
            }
        if match := re.fullmatch(r"/v4/spreadsheets/([^/]+)/values/(.+)", path, re.DOTALL):
            return _values(self._book(match[1]), match[2], asked)
        if match := re.fullmatch(r"/v4/spreadsheets/([^/]+)", path):
            return _masked(
                _metadata(match[1], self._book(match[1]), asked.get("ranges", [])), asked.get("fields", ["*"])[0]
            )
        raise Refused(404, "not found")

    def _book(self, key: str, *, drive: bool = False) -> Book:
        book = self.place.books.get(key)
        if book is None:
            raise Refused(404, "Requested entity was not found.", "notFound" if drive else "")
        if not book.shared:
            raise Refused(404 if drive else 403, "The caller does not have permission")
        return book

    def _drive(self) -> None:
        if not self.place.drive_is_enabled:
            raise Refused(403, "Google Drive API has not been used in project 1 before", "accessNotConfigured")

    def _files(self, asked: dict[str, list[str]]) -> dict[str, Any]:
        self._drive()
        query = re.fullmatch(
            r'mimeType="application/vnd.google-apps.spreadsheet"(?: and name = "((?:[^"\\]|\\.)*)")?', asked["q"][0]
        )
        if query is None:
            raise Refused(400, "Invalid Value")
        title = re.sub(r"\\(.)", r"\1", query[1]) if query[1] is not None else None
        found = [
            {"id": key, "name": book.title, "createdTime": "2026-01-01T00:00:00.000Z", "modifiedTime": book.modified}
            for key, book in self.place.books.items()
            if book.shared and (title is None or book.title.casefold() == title.casefold())
        ]
        start = int(asked.get("pageToken", ["0"])[0])
        page: dict[str, Any] = {"kind": "drive#fileList", "files": found[start : start + FILES_PER_PAGE]}
        if len(found) > start + FILES_PER_PAGE:
            page["nextPageToken"] = str(start + FILES_PER_PAGE)
        return page


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _block(book: Book, place: str) -> tuple[str, int, int, list[list[Any]]]:
    """Tab, first row, first column and the raw cells of an A1 range, or of whole rows."""
    name, _, cells = place.rpartition("!")
    name = name.removeprefix("'").removesuffix("'").replace("''", "'")
    if name not in book.tabs or book.tabs[name].kind != "GRID":
        raise Refused(400, f"Unable to parse range: {place}")
    tab = book.tabs[name]
    match = re.fullmatch(r"([A-Z]*)(\d+)(?::([A-Z]*)(\d+))?", cells)
    if match is None:
        raise Refused(400, f"Unable to parse range: {place}")
    left, top, bottom = _column(match[1]) or 1, int(match[2]), int(match[4] or match[2])
    right = (_column(match[3]) if match[4] else left) or tab.columns
    if top > tab.rows or left > tab.columns:
        raise Refused(400, f"Range ({place}) exceeds grid limits")
    rows = [row[left - 1 : min(right, tab.columns)] for row in tab.cells[top - 1 : min(bottom, tab.rows)]]
    return name, top, left, rows


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _plain(cell: Any) -> Any:
    return cell[0] if isinstance(cell, tuple) else cell


def _values(book: Book, place: str, asked: dict[str, list[str]]) -> dict[str, Any]:
    _, _, _, rows = _block(book, place)
    is_exact = asked.get("valueRenderOption") == ["UNFORMATTED_VALUE"]
    is_serial = asked.get("dateTimeRenderOption", ["SERIAL_NUMBER"]) == ["SERIAL_NUMBER"]
    found = []
    for row in rows:
        cells = ["" if _plain(cell) is None else _plain(cell) for cell in row]
        if not (is_exact and is_serial):  # as people see them: two places, and the day in the order of the locale
            cells = [f"{cell:,.2f}" if isinstance(cell, float) else str(cell) for cell in cells]
        while cells and cells[-1] == "":
            cells.pop()
        found.append(cells)
    while found and not found[-1]:
        found.pop()
    return {"range": place, "majorDimension": "ROWS", **({"values": found} if found else {})}


def _metadata(key: str, book: Book, ranges: list[str]) -> dict[str, Any]:
    blocks: dict[str, list[dict[str, Any]]] = {}
    for place in ranges:
        name, top, left, rows = _block(book, place)
        data = {
            "rowData": [
                {"values": [{"effectiveFormat": {"numberFormat": {"type": cell[1], "pattern": "@"}}}
                            if isinstance(cell, tuple) else {} for cell in row]}
                for row in rows
            ]
        }  # fmt: skip
        data |= {"startRow": top - 1} if top > 1 else {}
        data |= {"startColumn": left - 1} if left > 1 else {}
        blocks.setdefault(name, []).append(data)
    sheets = []
    for number, (name, tab) in enumerate(book.tabs.items()):
        facts = {"sheetId": id_of(book.tabs, name), "title": name, "index": number, "sheetType": tab.kind}
        facts |= {"gridProperties": {"rowCount": tab.rows, "columnCount": tab.columns}} if tab.kind == "GRID" else {}
        facts |= {"hidden": True} if tab.hidden else {}
        if not ranges or name in blocks:
            sheets.append({"properties": facts, **({"data": blocks[name]} if name in blocks else {})})
    return {
        "spreadsheetId": key,
        "properties": {"title": book.title, "locale": "de_DE", "timeZone": "Europe/Berlin"},
        "sheets": sheets,
    }


def _masked(found: Any, mask: str) -> Any:
    """What a field mask such as `a.b,c(d,e.f)` leaves of an answer."""
    return found if mask == "*" else _kept(found, _tree(mask))


def _tree(mask: str) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for part in re.findall(r"[^,()]+(?:\((?:[^()]|\([^()]*\))*\))?", mask):
        path, _, inner = part.partition("(")
        node = tree
        *steps, last = path.strip().split(".")
        for step in steps:
            node = node.setdefault(step, {})
        node.setdefault(last, {}).update(_tree(inner[:-1]) if inner else {})
    return tree


def _kept(found: Any, tree: dict[str, Any]) -> Any:
    if not tree:
        return found
    if isinstance(found, list):
        return [_kept(item, tree) for item in found]
    unknown = set(tree) - set(found)
    return {name: _kept(found[name], tree[name]) for name in tree if name not in unknown}


def sheets_server() -> AbstractContextManager[Server]:
    """A server of one service account with a key made now."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()

    def make(address: str) -> Server:
        key = {"type": "service_account", "project_id": "regulars-tests", "private_key_id": "1", "private_key": pem,
               "client_email": EMAIL, "client_id": "1", "token_uri": f"{address}/token"}  # fmt: skip
        return Server(address, key, private.public_key())

    return serve(Handler, make)
