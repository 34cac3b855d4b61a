"""Known and shell folder ids: the name each is shown under, and its usual path where it is a folder on disk.

UserAssist, shell items and links store these ids in place of a path. Sources: Microsoft, KNOWNFOLDERID
(knownfolders.h); J. Metz, libfwsi, "Windows Shell Item format" and "Shell folder identifiers".
"""

from __future__ import annotations

import re

_PROGRAMS = "\\Microsoft\\Windows\\Start Menu\\Programs"
FOLDERS: dict[str, tuple[str, str]] = {
    "f38bf404-1d43-42f2-9305-67de0b28fc23": ("Windows", "%SystemRoot%"),
    "1ac14e77-02e7-4e5d-b744-2eb1ae5198b7": ("System32", "%SystemRoot%\\System32"),
    "d65231b0-b2f1-4857-a4ce-a8e7c6ea7d27": ("SysWOW64", "%SystemRoot%\\SysWOW64"),
    "905e63b6-c1bf-494e-b29c-65b732d3d21a": ("Program Files", "%ProgramFiles%"),
    "6d809377-6af0-444b-8957-a3773f02200e": ("Program Files", "%ProgramFiles%"),
    "7c5a40ef-a0fb-4bfc-874a-c0f2e0b9fa8e": ("Program Files (x86)", "%ProgramFiles(x86)%"),
    "f7f1ed05-9f6d-47a2-aaae-29d317c6f066": ("Common Files", "%CommonProgramFiles%"),
    "6365d5a7-0f0d-45e5-87f6-0da56b6a4f7d": ("Common Files", "%CommonProgramFiles%"),
    "de974d24-d9c6-4d3e-bf91-f4455120b917": ("Common Files (x86)", "%CommonProgramFiles(x86)%"),
    "62ab5d82-fdc1-4dc3-a9dd-070d1d495d97": ("ProgramData", "%ProgramData%"),
    "a4115719-d62e-491d-aa7c-e74b8be3b067": ("Start Menu", "%ProgramData%\\Microsoft\\Windows\\Start Menu"),
    "0139d44e-6afe-49f2-8690-3dafcae6ffb8": ("Programs", "%ProgramData%" + _PROGRAMS),
    "82a5ea35-d9cd-47c5-9629-e15d2f714e6e": ("Startup", "%ProgramData%" + _PROGRAMS + "\\StartUp"),
    "c4aa340d-f20f-4863-afef-f87ef2e6ba25": ("Public Desktop", "%Public%\\Desktop"),
    "dfdf76a2-c82a-4d63-906a-5644ac457385": ("Public", "%Public%"),
    "5e6c858f-0e22-4760-9afe-ea3317b67173": ("User Profile", "%UserProfile%"),
    "b4bfcc3a-db2c-424c-b029-7fe99a87c641": ("Desktop", "%UserProfile%\\Desktop"),
    "fdd39ad0-238f-46af-adb4-6c85480369c7": ("Documents", "%UserProfile%\\Documents"),
    "374de290-123f-4565-9164-39c4925e467b": ("Downloads", "%UserProfile%\\Downloads"),
    "4bd8d571-6d19-48d3-be97-422220080e43": ("Music", "%UserProfile%\\Music"),
    "33e28130-4e1e-4676-835a-98395c3bc3bb": ("Pictures", "%UserProfile%\\Pictures"),
    "18989b1d-99b5-455b-841c-ab7c74e4ddfc": ("Videos", "%UserProfile%\\Videos"),
    "1777f761-68ad-4d8a-87bd-30b759fa33dd": ("Favorites", "%UserProfile%\\Favorites"),
    "3eb685db-65f9-4cf6-a03a-e3ef65729f3d": ("AppData Roaming", "%AppData%"),
    "f1b32785-6fba-4fcf-9d55-7b8e7f157091": ("AppData Local", "%LocalAppData%"),
    "a520a1a4-1780-4ff6-bd18-167343c5af16": ("AppData LocalLow", "%LocalAppData%Low"),
    "5cd7aee2-2219-4a67-b85d-6c9ce15660cb": ("Programs", "%LocalAppData%\\Programs"),
    "625b53c3-ab48-4ec1-ba1f-a1ef4146fc19": ("Start Menu", "%AppData%\\Microsoft\\Windows\\Start Menu"),
    "a77f5d77-2e2b-44c3-a6a2-aba601054a51": ("Programs", "%AppData%" + _PROGRAMS),
    "b97d20bb-f46a-4c97-ba10-5e3608430854": ("Startup", "%AppData%" + _PROGRAMS + "\\StartUp"),
    "9e3995ab-1f9c-4f13-b827-48b24b6c7174": (
        "User Pinned",
        "%AppData%\\Microsoft\\Internet Explorer\\Quick Launch\\User Pinned",
    ),
    "52a4f021-7b75-48a9-9f6b-4b87a210bc8f": ("Quick Launch", "%AppData%\\Microsoft\\Internet Explorer\\Quick Launch"),
    "ae50c081-ebd2-438a-8655-8a092e34987a": ("Recent Items", "%AppData%\\Microsoft\\Windows\\Recent"),
    "724ef170-a42d-4fef-9f26-b60e846fba4f": (
        "Administrative Tools",
        "%AppData%" + _PROGRAMS + "\\Administrative Tools",
    ),
    "d0384e7d-bac3-4797-8f14-cba229b392b5": (
        "Administrative Tools",
        "%ProgramData%" + _PROGRAMS + "\\Administrative Tools",
    ),
    "0ac0837c-bbf8-452a-850d-79d08e667ca7": ("This PC", ""),
    "d20beec4-5ca8-4905-ae3b-bf251ea09b53": ("Network", ""),
    "b7534046-3ecb-4c18-be4e-64cd4cb7d6ac": ("Recycle Bin", ""),
    "82a74aeb-aeb4-465c-a014-d097ee346d63": ("Control Panel", ""),
    "20d04fe0-3aea-1069-a2d8-08002b30309d": ("This PC", ""),
    "208d2c60-3aea-1069-a2d7-08002b30309d": ("My Network Places", ""),
    "645ff040-5081-101b-9f08-00aa002f954e": ("Recycle Bin", ""),
    "21ec2020-3aea-1069-a2dd-08002b30309d": ("Control Panel", ""),
    "26ee0668-a00a-44d7-9371-beb064c98683": ("Control Panel", ""),
    "450d8fba-ad25-11d0-98a8-0800361b1103": ("My Documents", ""),
    "59031a47-3f72-44a7-89c5-5595fe6b30ee": ("Users Files", ""),
    "031e4825-7b94-4dc3-b131-e946b44c8dd5": ("Libraries", ""),
    "871c5380-42a0-1069-a2ea-08002b30309d": ("Internet Explorer", ""),
    "679f85cb-0220-4080-b29b-5540cc05aab6": ("Quick access", ""),
    "018d5c66-4533-4307-9b53-224de2ed1fe6": ("OneDrive", ""),
    "b4fb3f98-c1ea-428d-a78a-d1f5659cba93": ("HomeGroup", ""),
    "088e3905-0323-4b02-9826-5d99428e115f": ("Downloads", ""),
    "d3162b92-9365-467a-956b-92703aca08af": ("Documents", ""),
    "24ad3ad4-a569-4530-98e1-ab02f9417aa8": ("Pictures", ""),
    "3dfdf296-dbec-4fb4-81d1-6a3438bcf4de": ("Music", ""),
    "f86fa3ab-70d2-4fc7-9c99-fcbf05467f3a": ("Videos", ""),
    "a8cdff1c-4878-43be-b5fd-f8091c1c60d0": ("Documents", ""),
    "374de290-123f-4565-9164-39c4925e467c": ("Downloads", ""),
    "22877a6d-37a1-461a-91b0-dbda5aaebc99": ("Recent places", ""),
    "1f4de370-d627-11d1-ba4f-00a0c91eedba": ("Computer search results", ""),
    "2559a1f3-21d7-11d4-bdaf-00c04f60b9f0": ("Run dialog", ""),
    "f02c1a0d-be21-4350-88b0-7367fc96ef3c": ("Network", ""),
    "1cf1260c-4dd0-4ebb-811f-33c572699fde": ("Music", ""),
    "3add1653-eb32-4cb0-bbd7-dfa0abb5acca": ("Pictures", ""),
    "a0953c92-50dc-43bf-be83-3742fed03c9c": ("Videos", ""),
    "a990ae9f-a03b-4e80-94bc-9912d7504104": ("Pictures library", ""),
    "7b0db17d-9cd2-4a93-9733-46cc89022e7c": ("Documents library", ""),
    "2112ab0a-c86a-4ffe-a368-0de96e47012e": ("Music library", ""),
    "491e922f-5643-4af4-a7eb-4e7a138d8174": ("Videos library", ""),
    "b4bfcc3a-db2c-424c-b029-7fe99a87c64f": ("Desktop", ""),
    "11016101-e366-4d22-bc06-4ada335c892b": ("Internet Explorer history", ""),
    "f874310e-b6b7-47dc-bc84-b9e6b38f5903": ("Home", ""),
    "0db7e03f-fc29-4dc6-9020-ff41b59e513a": ("3D Objects", ""),
    "4234d49b-0245-4df3-b780-3893943456e1": ("Applications", ""),
    "1e87508d-89c2-42f0-8a7e-645a0f50ca58": ("Applications", ""),
    "2227a280-3aea-1069-a2de-08002b30309d": ("Printers", ""),
    "d20ea4e1-3957-11d2-a40b-0c5020524153": ("Administrative Tools", ""),
    "7b81be6a-ce2b-4676-a29e-eb907a5126c5": ("Programs and Features", ""),
    "bb06c0e4-d293-4f75-8a90-cb05b6477eee": ("System", ""),
    "de61d971-5ebc-4f02-a3a9-6c82895e5c04": ("Add Network Place", ""),
    "9113a02d-00a3-46b9-bc5f-9c04daddd5d7": ("Portable Devices", ""),
}
_GUID = re.compile(r"\{([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}")


def folder_name(identifier: str) -> str:
    """The usual English name of a folder id (lower case, no braces), or the id in braces."""
    known = FOLDERS.get(identifier)
    return known[0] if known else f"{{{identifier}}}"


def folder_path(identifier: str) -> str:
    """The usual path of a folder id, beginning with an environment variable; its name where it has no path."""
    known = FOLDERS.get(identifier)
    return (known[1] or known[0]) if known else f"{{{identifier}}}"


def known_folder(text: str) -> str:
    """The text with folder ids in braces replaced by the folder's path or name; unknown ones stay as they are."""
    return _GUID.sub(lambda match: folder_path(match[1].lower()) if match[1].lower() in FOLDERS else match[0], text)
