"""Places iOS keeps: fixes and visits of routined, and the towers and Wi-Fi points that locationd was told of."""

from __future__ import annotations

from collections.abc import Iterator

from wigmore.artifacts.generic.sqlite_layout import Layout
from wigmore.artifacts.generic.sqlite_queries import Data, Query, apple, clock, read_queries
from wigmore.artifacts.generic.sqlite_reader import Database
from wigmore.model.protocols import EvidenceFile, Yield
from wigmore.registry import parser

APOLLO = "https://github.com/mac4n6/APOLLO/tree/master/modules"
ILEAPP = "https://github.com/abrignoni/iLEAPP/tree/main/scripts/artifacts"
CACHE = Layout(tables=(("ZRTCLLOCATIONMO", ("ZLATITUDE", "ZLONGITUDE", "ZTIMESTAMP")),))
LOCAL = Layout(tables=(("ZRTLEARNEDLOCATIONOFINTERESTMO", ("ZLOCATIONLATITUDE", "ZLOCATIONLONGITUDE")),))
CLOUD = Layout(tables=(("ZRTVISITMO", ("ZENTRYDATE", "ZEXITDATE")),))
TOWERS = Layout(
    paths=("cache_encryptedb.db", "cache_encrypteda.db", "consolidated.db"),
    tables=(("WifiLocation", ("MAC", "Timestamp", "Latitude", "Longitude")),),
)


def _stay(data: Data, database: Database) -> None:
    row = data["_row"]
    start, end = row.get("ZENTRYDATE", row.get("ZSTARTDATE")), row.get("ZEXITDATE", row.get("ZSTOPDATE"))
    if isinstance(start, (int, float)) and isinstance(end, (int, float)) and end >= start:
        data["stay"] = clock(end - start)
    _place(data, database)


def _place(data: Data, database: Database) -> None:
    for name in ("latitude", "longitude"):
        stored = next(
            (data.pop(c) for c in (f"ZLOCATION{name.upper()}", f"Z{name.upper()}", f"place_{name}")
             if data.get(c) is not None), None,
        )  # fmt: skip
        if stored is not None:
            data[name] = stored
    for name in ("place_latitude", "place_longitude"):
        if data.get(name) is None:
            data.pop(name, None)


FIX = Query(
    "ios.location",
    ("ZRTCLLOCATIONMO l",),
    "l.Z_PK l.ZTIMESTAMP l.ZLATITUDE l.ZLONGITUDE l.ZALTITUDE l.ZHORIZONTALACCURACY l.ZVERTICALACCURACY l.ZSPEED l.ZCOURSE "
    "l.ZSIGNALENVIRONMENTTYPE l.ZTYPE",
    "l.Z_PK",
    {"ZTIMESTAMP": apple},
    derive=_place,
)
HINT = Query(
    "ios.location",
    ("ZRTHINTMO h",),
    "h.Z_PK h.ZDATE h.ZLATITUDE h.ZLONGITUDE h.ZHORIZONTALUNCERTAINTY h.ZSOURCE",
    "h.Z_PK",
    {"ZDATE": apple},
    derive=_place,
)
VISIT = Query(
    "ios.visit",
    ("ZRTVISITMO v",),
    "v.Z_PK v.ZENTRYDATE v.ZEXITDATE v.ZDATE v.ZLOCATIONLATITUDE v.ZLOCATIONLONGITUDE v.ZLATITUDE v.ZLONGITUDE "
    "v.ZLOCATIONHORIZONTALUNCERTAINTY v.ZCONFIDENCE v.ZDATAPOINTCOUNT v.ZTYPE",
    "v.Z_PK",
    {"ZENTRYDATE": apple, "ZEXITDATE": apple, "ZDATE": apple},
    derive=_stay,
)
LEARNED = Query(
    "ios.visit",
    ("ZRTLEARNEDLOCATIONOFINTERESTVISITMO v", "LEFT JOIN ZRTLEARNEDLOCATIONOFINTERESTMO p ON p.Z_PK = v.ZLOCATIONOFINTEREST",
     "LEFT JOIN ZRTLEARNEDPLACEMO q ON q.Z_PK = p.ZPLACE", "LEFT JOIN ZRTMAPITEMMO m ON m.Z_PK = q.ZMAPITEM",
     "LEFT JOIN ZRTADDRESSMO a ON a.Z_PK = m.ZADDRESS"),
    "v.Z_PK v.ZENTRYDATE v.ZEXITDATE v.ZCREATIONDATE v.ZEXPIRATIONDATE v.ZLOCATIONLATITUDE v.ZLOCATIONLONGITUDE "
    "v.ZLOCATIONHORIZONTALUNCERTAINTY v.ZCONFIDENCE v.ZDATAPOINTCOUNT v.ZLOCATIONOFINTEREST "
    "p.ZLOCATIONLATITUDE:place_latitude p.ZLOCATIONLONGITUDE:place_longitude m.ZNAME:place_name "
    "a.ZTHOROUGHFARE:street a.ZSUBTHOROUGHFARE:street_number a.ZLOCALITY:city a.ZPOSTALCODE:postal_code a.ZCOUNTRY:country",
    "v.Z_PK",
    {"ZENTRYDATE": apple, "ZEXITDATE": apple, "ZCREATIONDATE": apple, "ZEXPIRATIONDATE": apple},
    derive=_stay,
)  # fmt: skip
PLACE = Query(
    "ios.significant_place",
    ("ZRTLEARNEDLOCATIONOFINTERESTMO p", "LEFT JOIN ZRTLEARNEDPLACEMO q ON q.Z_PK = p.ZPLACE",
     "LEFT JOIN ZRTMAPITEMMO m ON m.Z_PK = q.ZMAPITEM", "LEFT JOIN ZRTADDRESSMO a ON a.Z_PK = m.ZADDRESS"),
    "p.Z_PK p.ZLOCATIONLATITUDE p.ZLOCATIONLONGITUDE p.ZLOCATIONHORIZONTALUNCERTAINTY p.ZCONFIDENCE "
    "p.ZPLACECREATIONDATE p.ZCREATIONDATE p.ZPLACEEXPIRATIONDATE q.ZTYPE:place_type q.ZCUSTOMLABEL:label m.ZNAME:place_name "
    "a.ZTHOROUGHFARE:street a.ZSUBTHOROUGHFARE:street_number a.ZLOCALITY:city a.ZPOSTALCODE:postal_code a.ZCOUNTRY:country",
    "p.Z_PK",
    {"ZPLACECREATIONDATE": apple, "ZCREATIONDATE": apple, "ZPLACEEXPIRATIONDATE": apple},
    undated=True,
    derive=_place,
)  # fmt: skip
TRIP = Query(
    "ios.transition",
    ("ZRTLEARNEDLOCATIONOFINTERESTTRANSITIONMO t",),
    "t.Z_PK t.ZSTARTDATE t.ZSTOPDATE t.ZCREATIONDATE t.ZPREDOMINANTMOTIONACTIVITYTYPE t.ZMOTIONACTIVITYTYPE "
    "t.ZORIGINVISIT t.ZDESTINATIONVISIT",
    "t.Z_PK",
    {"ZSTARTDATE": apple, "ZSTOPDATE": apple, "ZCREATIONDATE": apple},
    derive=_stay,
)
PARKED = Query(
    "ios.vehicle_parked",
    ("ZRTVEHICLEEVENTMO e",),
    "e.Z_PK e.ZDATE e.ZLOCDATE e.ZLOCLATITUDE:ZLATITUDE e.ZLOCLONGITUDE:ZLONGITUDE e.ZLOCUNCERTAINTY e.ZUSERSETLOCATION "
    "e.ZNOTES e.ZIDENTIFIER",
    "e.Z_PK",
    {"ZDATE": apple, "ZLOCDATE": apple},
    derive=_place,
)
PARKED_EARLIER = Query(
    "ios.vehicle_parked",
    ("ZRTVEHICLEEVENTHISTORYMO e",),
    "e.Z_PK e.ZDATE e.ZLOCDATE e.ZLOCLATITUDE:ZLATITUDE e.ZLOCLONGITUDE:ZLONGITUDE e.ZLOCUNCERTAINTY e.ZIDENTIFIER",
    "e.Z_PK",
    {"ZDATE": apple, "ZLOCDATE": apple},
    derive=_place,
)


def _tower(kind: str, table: str, columns: str) -> Query:
    def derive(data: Data, database: Database) -> None:
        data["kind"] = kind
        if isinstance(data.get("MAC"), int):  # stored as a number
            data["bssid"] = ":".join(f"{data['MAC'] & 0xFFFFFFFFFFFF:012x}"[i : i + 2] for i in range(0, 12, 2))
        for name in ("Latitude", "Longitude"):
            if name in data:
                data[name.lower()] = data.pop(name)

    return Query(
        "ios.radio_location",
        (f"{table} t",),
        f"{columns} t.Timestamp t.Latitude t.Longitude t.HorizontalAccuracy t.Altitude t.VerticalAccuracy t.Speed t.Course "
        "t.Confidence t.Score t.Reach",
        "t.rowid",
        {"Timestamp": apple},
        derive=derive,
    )


RADIO = (
    _tower("Wi-Fi", "WifiLocation", "t.MAC t.Channel t.InfoMask"),
    _tower("GSM or UMTS cell", "CellLocation", "t.MCC t.MNC t.LAC t.CI t.UARFCN t.PSC"),
    _tower("LTE cell", "LteCellLocation", "t.MCC t.MNC t.TAC t.CI t.UARFCN t.PID"),
    _tower("5G cell", "NrCellLocation", "t.MCC t.MNC t.TAC t.CI t.NRARFCN t.PID"),
    _tower("CDMA cell", "CdmaCellLocation", "t.MCC t.SID t.NID t.BSID t.ZONEID t.BANDCLASS t.CHANNEL t.PNOFFSET"),
)
FENCE = Query(
    "ios.geofence",
    ("Fences f",),
    "f.Name f.BundleId f.BundlePath f.Latitude:latitude f.Longitude:longitude f.Distance f.Timestamp f.LastUpdateTime",
    "f.rowid",
    {"Timestamp": apple, "LastUpdateTime": apple},
    undated=True,
)


@parser(
    "ios.routined_cache", claims=CACHE,
    reads="Cache.sqlite of routined (com.apple.routined): fixes of about a week, visits, hints",
    means="the device computed this position at that time, with that radius of accuracy",
    does_not_mean="who carried it, or the way between two fixes; the radius is an estimate",
    refs=(APOLLO, ILEAPP), artifacts=(FIX.artifact, VISIT.artifact),
)  # fmt: skip
def routined_cache(file: EvidenceFile) -> Iterator[Yield]:
    """One record a fix, a hint or a visit."""
    yield from read_queries(file, CACHE, (FIX, HINT, VISIT))


@parser(
    "ios.significant_locations", claims=LOCAL,
    reads="Local.sqlite of routined: learned places, visits, ways between them, parked vehicles",
    means="the device, or another of the account, was taken to have been at this place from entry to exit",
    does_not_mean="who was there; visits are clusters of fixes and may be synchronised from other devices",
    refs=(APOLLO, ILEAPP), artifacts=(LEARNED.artifact, PLACE.artifact, TRIP.artifact, PARKED.artifact),
)  # fmt: skip
def significant_locations(file: EvidenceFile) -> Iterator[Yield]:
    """One record a visit with its place, a place, a way, a parked vehicle."""
    yield from read_queries(file, LOCAL, (LEARNED, PLACE, TRIP, PARKED, PARKED_EARLIER))


@parser(
    "ios.routined_cloud", claims=CLOUD,
    reads="Cloud.sqlite and Cloud-V2.sqlite of routined where they hold visits and no fixes",
    means="a device of the account was taken to have been at this place from entry to exit",
    does_not_mean="that it was this device",
    refs=(APOLLO,), artifacts=(VISIT.artifact,),
)  # fmt: skip
def routined_cloud(file: EvidenceFile) -> Iterator[Yield]:
    """One record a visit; nothing where the file is a cache of fixes, which another parser reads."""
    from wigmore.artifacts.generic.sqlite_reader import open_database

    with open_database(file, CLOUD) as database:
        other = database.has("ZRTCLLOCATIONMO", "ZTIMESTAMP")
    if not other:
        yield from read_queries(file, CLOUD, (VISIT,))


@parser(
    "ios.radio_locations", claims=TOWERS,
    reads="cache_encryptedA.db and cache_encryptedB.db of locationd, consolidated.db of iOS 4",
    means="the location service was told, by that time, that this tower or access point stands there",
    does_not_mean="that the device was at that point: entries of a whole neighbourhood arrive together",
    refs=(APOLLO, ILEAPP), artifacts=("ios.radio_location", FENCE.artifact),
)  # fmt: skip
def radio_locations(file: EvidenceFile) -> Iterator[Yield]:
    """One record a tower or access point, one a fence that a program set."""
    yield from read_queries(file, TOWERS, (*RADIO, FENCE))
