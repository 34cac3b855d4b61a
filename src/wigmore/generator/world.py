"""The people, hosts, numbers and times of a case, drawn from its seed; all fictional.

Names under example.com/.test (RFC 2606), addresses of RFC 5737, telephone numbers of the 555-01xx range.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from wigmore.generator.draws import draws

GIVEN = [
    "Ada",
    "Bruno",
    "Carla",
    "Dario",
    "Elif",
    "Farid",
    "Greta",
    "Hugo",
    "Irma",
    "Jonas",
    "Kira",
    "Lars",
    "Mina",
    "Nils",
    "Olga",
    "Pavel",
    "Rosa",
    "Selim",
    "Tara",
    "Viktor",
]
FAMILY = [
    "Almeida",
    "Berg",
    "Castell",
    "Dorn",
    "Eriksen",
    "Falk",
    "Gruber",
    "Hansen",
    "Iversen",
    "Jansen",
    "Keller",
    "Lind",
    "Moreau",
    "Novak",
    "Okafor",
    "Petrov",
]
ZONES = (  # Windows name, minutes east of UTC, IANA name; none has daylight saving, so that local times are unambiguous
    ("South Africa Standard Time", 120, "Africa/Johannesburg"),
    ("Arabian Standard Time", 240, "Asia/Dubai"),
    ("India Standard Time", 330, "Asia/Kolkata"),
    ("Singapore Standard Time", 480, "Asia/Singapore"),
    ("SA Pacific Standard Time", -300, "America/Bogota"),
)
PLACES = (  # name, latitude and longitude in degrees, minutes, seconds (multiples of 9": four decimals are exact)
    ("harbour promenade", (52, 22, 30), (4, 53, 51)),
    ("botanical garden", (48, 50, 42), (2, 21, 36)),
    ("old observatory", (51, 28, 39), (0, 0, 9)),
    ("railway museum", (47, 22, 39), (8, 32, 24)),
    ("river pavilion", (40, 42, 45), (74, 0, 18)),
)
PROJECTS = ["FALCON", "OSPREY", "HERON", "KESTREL", "MERLIN", "CURLEW", "PLOVER", "SISKIN"]
PASSWORDS = ["harbor", "sunset", "copper", "winter", "orange", "silver", "meadow", "falcon"]
STICKS = (
    ("SanDisk", "Ultra", "0781", "5581"),
    ("Kingston", "DataTraveler_3.0", "0951", "1666"),
    ("Verbatim", "STORE_N_GO", "18a5", "0302"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """A fictional person with the identifiers that evidence holds."""

    given: str
    family: str
    phone: str
    email: str

    @property
    def name(self) -> str:
        """Given and family name."""
        return f"{self.given} {self.family}"


@dataclass(frozen=True, slots=True)
class Stick:
    """A USB mass-storage device as Windows names it."""

    vendor: str
    product: str
    vendor_id: str
    product_id: str
    serial: str
    volume_serial: int
    label: str

    @property
    def friendly_name(self) -> str:
        """The name Windows shows."""
        return f"{self.vendor} {self.product.replace('_', ' ')} USB Device"

    @property
    def volume_serial_text(self) -> str:
        """The volume serial number as Windows prints it, `ABCD-1234`."""
        return f"{self.volume_serial >> 16:04X}-{self.volume_serial & 0xFFFF:04X}"


class World:
    """All drawn facts of one case; the same seed draws the same world whatever is asked of it first."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        draw = draws(f"wigmore-world-{seed}")
        names = draw.sample(GIVEN, 6)
        families = draw.sample(FAMILY, 6)
        numbers = draw.sample(range(100), 8)
        areas = draw.sample((202, 303, 404, 505, 606, 707, 808, 909), 6)

        def person(index: int, domain: str, family: str | None = None, given: str | None = None) -> Person:
            first, last = given or names[index], family or families[index]
            phone = f"+1{areas[index]}55501{numbers[index]:02d}"
            return Person(first, last, phone, f"{first}.{last}@{domain}".lower())

        self.engineer = person(0, "northwind-turbines.example.com")
        self.rival = person(1, "rivaldyne.test")
        self.colleague = person(2, "northwind-turbines.example.com")
        # same given name as the rival: a contact that invites confusion
        self.namesake = person(3, "swimming-club.example.org", given=self.rival.given)
        self.administrator = person(4, "northwind-turbines.example.com")
        self.account = f"{self.engineer.given[0]}{self.engineer.family}".lower()
        self.laptop = f"NWT-LT-{draw.randrange(100, 999)}"
        self.server = f"web{draw.randrange(1, 9):02d}"
        self.zone_windows, self.zone_minutes, self.zone = draw.choice(ZONES)
        monday = date(2025, 2, 3) + timedelta(weeks=draw.randrange(0, 36))
        self.start = datetime(monday.year, monday.month, monday.day)
        self.machine_sid = "S-1-5-21-" + "-".join(str(draw.randrange(10**8, 2**32 - 1)) for _ in range(3))
        self.user_sid = f"{self.machine_sid}-1001"
        vendor, product, vendor_id, product_id = draw.choice(STICKS)
        self.stick = Stick(
            vendor, product, vendor_id, product_id, self._serial(draw), draw.randrange(2**28, 2**32), "TRANSFER"
        )
        others = [row for row in STICKS if row[0] != vendor]
        vendor, product, vendor_id, product_id = draw.choice(others)
        self.old_stick = Stick(
            vendor, product, vendor_id, product_id, self._serial(draw), draw.randrange(2**28, 2**32), "PHOTOS"
        )
        self.system_volume_serial = draw.randrange(2**28, 2**32)
        self.project = draw.choice(PROJECTS)
        self.password = f"{draw.choice(PASSWORDS)}{draw.randrange(10, 99)}"
        self.place, self.latitude, self.longitude = draw.choice(PLACES)
        self.west = self.longitude[0] > 60
        self.attacker = f"203.0.113.{draw.randrange(2, 250)}"
        self.fumbler = f"198.51.100.{draw.randrange(2, 120)}"
        self.office = f"192.0.2.{draw.randrange(2, 100)}"
        self.remote_id = f"{draw.randrange(100, 999)}{draw.randrange(100, 999)}{draw.randrange(100, 999)}"
        self.shell_name = draw.choice(("thumb.php", "cache.php", "img_view.php", "status2.php"))
        self.new_account = draw.choice(("svcbackup", "wwwadmin", "sysmon1", "support2"))
        self.imei = self._luhn("35" + "".join(str(draw.randrange(10)) for _ in range(12)))
        self.iphone_serial = "F" + "".join(draw.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(11))
        self.udid = "".join(draw.choice("0123456789abcdef") for _ in range(40))
        self.android_id = "".join(draw.choice("0123456789abcdef") for _ in range(16))
        self.bssid = "02:00:5e:" + ":".join(f"{draw.randrange(256):02x}" for _ in range(3))

    @staticmethod
    def _serial(draw: random.Random) -> str:
        return "".join(draw.choice("0123456789ABCDEF") for _ in range(20))

    @staticmethod
    def _luhn(digits: str) -> str:
        total = 0
        for index, digit in enumerate(reversed(digits)):
            value = int(digit) * (2 if index % 2 == 0 else 1)
            total += value - 9 if value > 9 else value
        return digits + str(-total % 10)

    def random(self, purpose: str) -> random.Random:
        """A generator of its own for a purpose, so that one writer's draws never move another's."""
        return draws(f"wigmore-{self.seed}-{purpose}")

    def local(self, day: int, clock: str) -> datetime:
        """Wall-clock time (naive) of a day of the case (0: the Monday) in the case's zone; `clock` is HH:MM[:SS]."""
        hours, minutes, *seconds = clock.split(":")
        rest = timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds[0]) if seconds else 0)
        return self.start + timedelta(days=day) + rest

    def at(self, day: int, clock: str) -> datetime:
        """The same as an aware UTC time; with whole seconds a fraction is drawn, as real clocks have one."""
        moment = self.local(day, clock)
        if not moment.microsecond:
            moment += timedelta(microseconds=self.random(f"fraction {day} {clock}").randrange(1_000, 999_000))
        return self.utc(moment)

    def utc(self, local: datetime) -> datetime:
        """UTC of a wall-clock time in the case's zone."""
        return (local - timedelta(minutes=self.zone_minutes)).replace(tzinfo=UTC)

    def in_zone(self, moment: datetime) -> datetime:
        """Wall-clock time (naive) in the case's zone of an aware time."""
        return moment.astimezone(UTC).replace(tzinfo=None) + timedelta(minutes=self.zone_minutes)

    @cached_property
    def design(self) -> bytes:
        """The design file that the case turns on: a STEP model of some 40 kB."""
        draw = self.random("design")
        lines = [
            "ISO-10303-21;",
            "HEADER;",
            f"FILE_DESCRIPTION(('{self.project} rotor hub, rev D'),'2;1');",
            "ENDSEC;",
            "DATA;",
        ]
        for number in range(1, 900):
            x, y, z = (draw.uniform(-500, 500) for _ in range(3))
            lines.append(f"#{number}=CARTESIAN_POINT('',({x:.4f},{y:.4f},{z:.4f}));")
        lines += ["ENDSEC;", "END-ISO-10303-21;", ""]
        return "\r\n".join(lines).encode("ascii")

    @property
    def design_name(self) -> str:
        """The design file's name."""
        return f"{self.project}_rotor_hub_rev_D.step"
