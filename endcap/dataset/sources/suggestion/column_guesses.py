"""Which canonical column a source column may be, by its name and what is in it."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from endcap.dataset.sources.columns.moments import read_moments
from endcap.dataset.sources.columns.number_texts import plain_numbers
from endcap.dataset.sources.columns.texts import USUAL_NULLS, as_text
from endcap.dataset.sources.columns.value_format import ValueFormat

NAMES: dict[str, tuple[str, ...]] = {
    "item_id": (
        *("itemid", "productid", "sku", "articleid", "stockcode", "parentasin", "asin", "movieid", "aid", "goodsid", "artikelnummer"),
        *("artikelnr", "ean", "upc", "product", "item", "article", "artikel", "businessid", "songid", "bookid", "isbn"),
    ),
    "user_id": (
        *("userid", "customerid", "visitorid", "householdkey", "householdid", "memberid", "clientid", "custid", "kundennummer"),
        *("kundennr", "reviewerid", "user", "customer", "visitor", "kunde", "member", "client", "household"),
    ),
    "session_id": (
        *("sessionid", "usersession", "visitid", "orderid", "orderno", "ordernumber", "invoiceno", "invoiceid", "basketid"),
        *("transactionid", "receiptid", "bonnummer", "bonnr", "session", "visit", "order", "invoice", "basket", "receipt", "bon"),
    ),
    "occurred_at": (
        *("timestamp", "eventtime", "invoicedate", "orderdate", "transactiondt", "purchasedate", "datetime", "createdat", "tdat"),
        *("eventdate", "ts", "time", "date", "when", "ordered", "at", "datum", "zeit", "transtime"),
        *("orderpurchasetimestamp", "orderedat", "purchasedat"),
    ),
    "rating": ("rating", "stars", "overall", "score"),
    "quantity": ("quantity", "qty", "pieces", "units", "menge", "anzahl", "count"),
    "unit_price": ("unitprice", "priceperunit", "price", "preis", "einzelpreis"),
    "line_total": ("linetotal", "total", "salesvalue", "salesprice", "sales", "revenue", "umsatz", "betrag", "amount"),
    "event_type": ("eventtype", "event", "action", "behavior", "behaviortype", "activity", "kind", "type"),
    "title": (
        "title",
        "productname",
        "itemname",
        "prodname",
        "name",
        "description",
        "bezeichnung",
        "artikelbezeichnung",
        "subcommoditydesc",
        "productdesc",
    ),
    "category_path": (
        *("categorypath", "categories", "categorycode", "category", "genres", "productgroup", "productgroupname", "department"),
        *("group", "kategorie", "warengruppe", "subclass", "productsubclass", "categoryid", "shelf", "aisle", "commoditydesc"),
    ),
    "brand": ("brand", "brandname", "manufacturer", "maker", "marke", "vendor"),
    "price": ("price", "listprice", "currentprice", "preis"),
    "store_id": ("storeid", "store", "shopid", "shop", "filiale"),
    "channel": ("channel", "saleschannel", "saleschannelid"),
    "currency": ("currency", "currencycode", "waehrung"),
    "region": ("region", "country", "state", "land"),
    "age_band": ("ageband", "agegroup", "agedesc", "age"),
}
"""Usual names of source columns, without case and signs; those that say most come first."""

_FORMATS = (
    *("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%d.%m.%y %H:%M", "%d.%m.%y"),
    *("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%m/%d/%y %H:%M", "%m/%d/%y"),
    *("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%d/%m/%y %H:%M", "%d/%m/%y"),
    *("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y%m%d%H%M%S", "%Y%m%d", "%d-%m-%Y %H:%M", "%d-%m-%Y", "%d %b %Y"),
)
_FIRST_EPOCH, _LAST_EPOCH = 631_152_000, 4_102_444_800
"""1990 and 2100 in seconds since 1970."""


@dataclass(frozen=True)
class TimeGuess:
    """How a column's times are written: `format` of texts, `unit` of numbers, neither for ISO 8601."""

    format: str | None
    unit: str | None
    needs_zone: bool
    reason: str
    is_day: bool = False

    def with_clock(self, form: str) -> "TimeGuess":
        """The same with a time of day after the day."""
        return replace(self, format=self.format + form if self.format else None, is_day=False)


def plain_name(column: str) -> str:
    """Without case and signs."""
    return re.sub(r"[^a-z0-9]", "", column.lower())


def by_name(canonical: str, columns: Sequence[str]) -> list[str]:
    """The columns that may be meant by their name, the likeliest first."""
    plain = {column: plain_name(column) for column in columns}
    ranked = {name: place for place, name in enumerate(NAMES[canonical])}
    return sorted((column for column in columns if plain[column] in ranked), key=lambda column: ranked[plain[column]])


def guess_time(column: pl.Series) -> TimeGuess | None:
    """How times are written, if the column has any."""
    if isinstance(column.dtype, pl.Datetime | pl.Date):
        zone = column.dtype.time_zone if isinstance(column.dtype, pl.Datetime) else None
        return TimeGuess(None, None, zone is None, "its type is a time")
    text = _given(column)
    if text.is_empty():
        return None
    number = text.cast(pl.Float64, strict=False)
    for unit, per_second in (("s", 1), ("ms", 1000), ("us", 1_000_000)):
        if number.null_count() == 0 and number.is_between(_FIRST_EPOCH * per_second, _LAST_EPOCH * per_second).all():
            return TimeGuess(None, unit, False, f"as {unit} since 1970 its values are days between 1990 and 2100")
    if re.match(r"\d{4}-\d{1,2}-\d{1,2}", text[0]) and _reads(text, ValueFormat(time_zone="UTC")):
        zoned = text.str.contains(r"(?:[Zz]|UTC|[+-]\d{2}:?\d{2})$").all() and text.str.contains(":").all()
        return TimeGuess(None, None, not zoned, "its values are ISO 8601", is_day=not text.str.contains(":").any())
    for form in _FORMATS:
        if _is_written(text[0], form) and _reads(text, ValueFormat(time_zone="UTC", time_format=form)):
            return TimeGuess(form, None, True, f"all values of the sample read so{_doubt(text, form)}", is_day="%H" not in form)
    return None


def _is_written(value: str, form: str) -> bool:
    """Whether one value reads so: cheaper than to read them all in every form."""
    with suppress(ValueError):
        return bool(datetime.strptime(value.strip(), form))  # noqa: DTZ007 - nothing but its form is looked at
    return False


def _doubt(text: pl.Series, form: str) -> str:
    other = {"%m/%d": "%d/%m", "%d/%m": "%m/%d"}.get(form[:5])
    if other and _reads(text, ValueFormat(time_zone="UTC", time_format=other + form[5:])):
        return f", and as {other + form[5:]} too: look which comes first, day or month"
    return ""


def _reads(text: pl.Series, form: ValueFormat) -> bool:
    return read_moments(text, form).values.null_count() == 0


def is_number(column: pl.Series, form: ValueFormat) -> bool:
    """Whether all values are numbers when written in a form."""
    if column.dtype.is_numeric():
        return True
    text = _given(column)
    return not text.is_empty() and plain_numbers(text, form).cast(pl.Float64, strict=False).null_count() == 0


def guess_clock(column: pl.Series) -> bool:
    """Whether all values are times of a day."""
    text = _given(column)
    return not text.is_empty() and bool(text.str.contains(r"^([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?$").all())


def is_whole(column: pl.Series, least: float = 0, most: float = float("inf")) -> bool:
    """Whether all values are whole numbers in a range."""
    number = _given(column).cast(pl.Float64, strict=False)
    return len(number) > 0 and number.null_count() == 0 and bool(((number == number.floor()) & number.is_between(least, most)).all())


def is_unique(column: pl.Series) -> bool:
    """Whether every value stands once, as ids in a list of items or people do."""
    text = _given(column)
    return not text.is_empty() and text.n_unique() == len(text)


def _given(column: pl.Series) -> pl.Series:
    text = as_text(column).drop_nulls()
    return text.filter(~text.str.to_lowercase().is_in(USUAL_NULLS))
