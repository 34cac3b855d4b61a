"""Known folder ids, as UserAssist and others store them in place of a path.

Source: Microsoft, KNOWNFOLDERID (knownfolders.h).
"""

from __future__ import annotations

import re

_MENU = "%ProgramData%\\Microsoft\\Windows\\Start Menu\\Programs"
FOLDERS = {
    "F38BF404-1D43-42F2-9305-67DE0B28FC23": "%SystemRoot%",
    "1AC14E77-02E7-4E5D-B744-2EB1AE5198B7": "%SystemRoot%\\System32",
    "D65231B0-B2F1-4857-A4CE-A8E7C6EA7D27": "%SystemRoot%\\SysWOW64",
    "905E63B6-C1BF-494E-B29C-65B732D3D21A": "%ProgramFiles%",
    "6D809377-6AF0-444B-8957-A3773F02200E": "%ProgramFiles%",
    "7C5A40EF-A0FB-4BFC-874A-C0F2E0B9FA8E": "%ProgramFiles(x86)%",
    "F7F1ED05-9F6D-47A2-AAAE-29D317C6F066": "%CommonProgramFiles%",
    "6365D5A7-0F0D-45E5-87F6-0DA56B6A4F7D": "%CommonProgramFiles%",
    "DE974D24-D9C6-4D3E-BF91-F4455120B917": "%CommonProgramFiles(x86)%",
    "62AB5D82-FDC1-4DC3-A9DD-070D1D495D97": "%ProgramData%",
    "A4115719-D62E-491D-AA7C-E74B8BE3B067": "%ProgramData%\\Microsoft\\Windows\\Start Menu",
    "0139D44E-6AFE-49F2-8690-3DAFCAE6FFB8": "%ProgramData%\\Microsoft\\Windows\\Start Menu\\Programs",
    "82A5EA35-D9CD-47C5-9629-E15D2F714E6E": "%ProgramData%\\Microsoft\\Windows\\Start Menu\\Programs\\StartUp",
    "C4AA340D-F20F-4863-AFEF-F87EF2E6BA25": "%Public%\\Desktop",
    "DFDF76A2-C82A-4D63-906A-5644AC457385": "%Public%",
    "5E6C858F-0E22-4760-9AFE-EA3317B67173": "%UserProfile%",
    "B4BFCC3A-DB2C-424C-B029-7FE99A87C641": "%UserProfile%\\Desktop",
    "FDD39AD0-238F-46AF-ADB4-6C85480369C7": "%UserProfile%\\Documents",
    "374DE290-123F-4565-9164-39C4925E467B": "%UserProfile%\\Downloads",
    "4BD8D571-6D19-48D3-BE97-422220080E43": "%UserProfile%\\Music",
    "33E28130-4E1E-4676-835A-98395C3BC3BB": "%UserProfile%\\Pictures",
    "18989B1D-99B5-455B-841C-AB7C74E4DDFC": "%UserProfile%\\Videos",
    "1777F761-68AD-4D8A-87BD-30B759FA33DD": "%UserProfile%\\Favorites",
    "3EB685DB-65F9-4CF6-A03A-E3EF65729F3D": "%AppData%",
    "F1B32785-6FBA-4FCF-9D55-7B8E7F157091": "%LocalAppData%",
    "A520A1A4-1780-4FF6-BD18-167343C5AF16": "%LocalAppData%Low",
    "5CD7AEE2-2219-4A67-B85D-6C9CE15660CB": "%LocalAppData%\\Programs",
    "625B53C3-AB48-4EC1-BA1F-A1EF4146FC19": "%AppData%\\Microsoft\\Windows\\Start Menu",
    "A77F5D77-2E2B-44C3-A6A2-ABA601054A51": "%AppData%\\Microsoft\\Windows\\Start Menu\\Programs",
    "B97D20BB-F46A-4C97-BA10-5E3608430854": "%AppData%\\Microsoft\\Windows\\Start Menu\\Programs\\StartUp",
    "9E3995AB-1F9C-4F13-B827-48B24B6C7174": "%AppData%\\Microsoft\\Internet Explorer\\Quick Launch\\User Pinned",
    "52A4F021-7B75-48A9-9F6B-4B87A210BC8F": "%AppData%\\Microsoft\\Internet Explorer\\Quick Launch",
    "AE50C081-EBD2-438A-8655-8A092E34987A": "%AppData%\\Microsoft\\Windows\\Recent",
    "724EF170-A42D-4FEF-9F26-B60E846FBA4F": "%AppData%\\Microsoft\\Windows\\Start Menu\\Programs\\Administrative Tools",
    "D0384E7D-BAC3-4797-8F14-CBA229B392B5": _MENU + "\\Administrative Tools",
    "0AC0837C-BBF8-452A-850D-79D08E667CA7": "This PC",
    "D20BEEC4-5CA8-4905-AE3B-BF251EA09B53": "Network",
    "B7534046-3ECB-4C18-BE4E-64CD4CB7D6AC": "Recycle Bin",
    "82A74AEB-AEB4-465C-A014-D097EE346D63": "Control Panel",
    "20D04FE0-3AEA-1069-A2D8-08002B30309D": "This PC",
    "208D2C60-3AEA-1069-A2D7-08002B30309D": "Network",
    "645FF040-5081-101B-9F08-00AA002F954E": "Recycle Bin",
    "21EC2020-3AEA-1069-A2DD-08002B30309D": "Control Panel",
    "26EE0668-A00A-44D7-9371-BEB064C98683": "Control Panel",
    "450D8FBA-AD25-11D0-98A8-0800361B1103": "My Documents",
    "59031A47-3F72-44A7-89C5-5595FE6B30EE": "Users folder",
    "031E4825-7B94-4DC3-B131-E946B44C8DD5": "Libraries",
    "871C5380-42A0-1069-A2EA-08002B30309D": "Internet Explorer",
    "679F85CB-0220-4080-B29B-5540CC05AAB6": "Quick access",
    "018D5C66-4533-4307-9B53-224DE2ED1FE6": "OneDrive",
    "B4FB3F98-C1EA-428D-A78A-D1F5659CBA93": "HomeGroup",
    "088E3905-0323-4B02-9826-5D99428E115F": "Downloads",
    "D3162B92-9365-467A-956B-92703ACA08AF": "Documents",
    "24AD3AD4-A569-4530-98E1-AB02F9417AA8": "Pictures",
    "3DFDF296-DBEC-4FB4-81D1-6A3438BCF4DE": "Music",
    "F86FA3AB-70D2-4FC7-9C99-FCBF05467F3A": "Videos",
    "A8CDFF1C-4878-43BE-B5FD-F8091C1C60D0": "Documents",
    "374DE290-123F-4565-9164-39C4925E467C": "Downloads",
    "22877A6D-37A1-461A-91B0-DBDA5AAEBC99": "Recent places",
    "1F4DE370-D627-11D1-BA4F-00A0C91EEDBA": "Computer search results",
    "2559A1F3-21D7-11D4-BDAF-00C04F60B9F0": "Run dialog",
    "F02C1A0D-BE21-4350-88B0-7367FC96EF3C": "Network",
    "1CF1260C-4DD0-4EBB-811F-33C572699FDE": "Music",
    "3ADD1653-EB32-4CB0-BBD7-DFA0ABB5ACCA": "Pictures",
    "A0953C92-50DC-43BF-BE83-3742FED03C9C": "Videos",
    "A990AE9F-A03B-4E80-94BC-9912D7504104": "Pictures library",
    "7B0DB17D-9CD2-4A93-9733-46CC89022E7C": "Documents library",
    "2112AB0A-C86A-4FFE-A368-0DE96E47012E": "Music library",
    "491E922F-5643-4AF4-A7EB-4E7A138D8174": "Videos library",
    "B4BFCC3A-DB2C-424C-B029-7FE99A87C64F": "Desktop",
    "11016101-E366-4D22-BC06-4ADA335C892B": "Internet Explorer history",
}
GUID = re.compile(r"\{([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}")


def known_folder(text: str) -> str:
    """The text with known folder ids replaced by the folder's name; others stay as they are."""
    return GUID.sub(lambda match: FOLDERS.get(match[1].upper(), match[0]), text)
