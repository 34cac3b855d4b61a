"""What betrays a platform: places that only it has, types of files that only it writes.

Sources: each system's file system layout (Microsoft, Apple File System Programming Guide, FHS 3.0, Android source).
"""

from __future__ import annotations

# platform, weight, what is shown as marker, regular expression over "/" + lower-case path
PLACES: tuple[tuple[str, int, str, str], ...] = (
    ("windows", 4, "Windows/System32", r"/(?:windows|winnt)/(?:system32|syswow64)(?:/|$)"),
    ("windows", 3, "registry hives by place", r"/system32/config/(?:sam|system|software|security|default)$"),
    ("windows", 3, "Windows/Prefetch", r"/windows/prefetch(?:/|$)"),
    ("windows", 3, "winevt/Logs", r"/winevt/logs(?:/|$)"),
    ("windows", 3, "NTUSER.DAT", r"/(?:ntuser|usrclass)\.dat$"),
    ("windows", 2, "AppData", r"/appdata/(?:local|locallow|roaming)(?:/|$)"),
    ("windows", 2, "ProgramData/Microsoft", r"/programdata/microsoft(?:/|$)"),
    ("windows", 2, "Program Files", r"/program files(?: \(x86\))?(?:/|$)"),
    ("windows", 2, "Documents and Settings", r"/documents and settings(?:/|$)"),
    ("windows", 2, "$Recycle.Bin", r"/(?:\$recycle\.bin|recycler)(?:/|$)"),
    ("windows", 2, "pagefile.sys", r"/(?:pagefile|hiberfil|swapfile)\.sys$"),
    ("windows", 1, "System Volume Information", r"/system volume information(?:/|$)"),
    ("windows", 1, "NTFS metadata files", r"/\$(?:mft|logfile|extend/\$usnjrnl.*)$"),
    ("windows", 2, "event logs by name", r"\.evtx$"),
    ("windows", 2, "prefetch files by name", r"/[^/]+-[0-9a-f]{8}\.pf$"),
    ("windows", 2, "jump lists by name", r"\.(?:automatic|custom)destinations-ms$"),
    ("ios", 4, "private/var/mobile", r"/private/var/(?:mobile|containers/bundle|keychains|wireless)(?:/|$)"),
    ("ios", 4, "mobile/Library", r"/mobile/(?:library|containers|media)(?:/|$)"),
    (
        "ios",
        4,
        "backup domains",
        r"/(?:homedomain|camerarolldomain|rootdomain|appdomain(?:group|plugin)?-[^/]+)(?:/|$)",
    ),
    ("ios", 4, "files named as in an iTunes backup", r"/[0-9a-f]{2}/[0-9a-f]{40}$"),
    ("ios", 3, "SMS/sms.db", r"/(?:sms/sms|callhistorydb/callhistory|callhistory)\.(?:db|storedata)$"),
    (
        "ios",
        3,
        "app containers",
        r"/containers/(?:data|shared|bundle)/(?:application|appgroup|pluginkitplugin)/[0-9a-f]{8}-",
    ),
    ("ios", 2, "backup Manifest", r"/manifest\.(?:db|mbdb)$"),
    ("ios", 3, "SpringBoard", r"/library/springboard(?:/|$)|/com\.apple\.springboard\.plist$"),
    ("ios", 2, "wireless/Library", r"/wireless/library(?:/|$)"),
    ("ios", 2, "AddressBook.sqlitedb", r"/addressbook(?:images)?\.sqlitedb$"),
    ("ios", 2, "PhotoData/Photos.sqlite", r"/photodata/photos\.sqlite$"),
    ("ios", 2, "sysdiagnose", r"/sysdiagnose_[^/]*(?:iphone|ipad)[^/]*(?:/|$)"),
    ("android", 4, "data/data", r"/data/data/[^/]+\.[^/]+(?:/|$)"),
    ("android", 4, "data/user", r"/data/user(?:_de)?/\d+(?:/|$)"),
    ("android", 3, "Android providers", r"/com\.android\.providers\.[a-z]+(?:/|$)"),
    ("android", 4, "build.prop", r"/(?:system|vendor|product)/(?:etc/)?build\.prop$"),
    (
        "android",
        3,
        "data/system",
        r"/data/(?:system/(?:packages\.(?:xml|list)|users|locksettings\.db)|system_[cd]e)(?:/|$)",
    ),
    ("android", 2, "data/app", r"/data/app/[^/]*(?:com|org|net|de|io)\.[^/]+"),
    ("android", 3, "data/misc", r"/data/misc/(?:wifi|apexdata|bluedroid|adb)(?:/|$)"),
    ("android", 3, "system/framework", r"/system/(?:framework|priv-app|bin/app_process)"),
    ("android", 2, "Android/data", r"/android/(?:data|obb|media)/(?:com|org|net|de|io)\.[^/]+"),
    ("android", 2, "adb backup layout", r"/apps/(?:com|org|net|de|io)\.[^/]+/(?:_manifest|db|f|sp|r|ef|a)(?:/|$)"),
    ("android", 2, "app databases", r"/(?:com|org|net|de|io)\.[^/]+/(?:databases|shared_prefs)(?:/|$)"),
    (
        "macos",
        4,
        "System/Library/CoreServices",
        r"/system/library/(?:coreservices/(?!springboard)|extensions|launchdaemons)",
    ),
    ("macos", 3, "application bundles", r"/applications/(?:[^/]+/)*[^/]+\.app/contents(?:/|$)"),
    (
        "macos",
        3,
        "Users/…/Library",
        r"/users/[^/]+/library/(?:preferences|application support|safari|keychains|messages|mail)",
    ),
    ("macos", 3, "private/var/db", r"/private/var/(?:db|vm|folders)(?:/|$)"),
    ("macos", 3, "dslocal", r"/var/db/dslocal(?:/|$)"),
    ("macos", 2, "Library/LaunchDaemons", r"/library/(?:launchdaemons|launchagents|startupitems)(?:/|$)"),
    ("macos", 2, ".fseventsd", r"/\.(?:fseventsd|spotlight-v100|documentrevisions-v100)(?:/|$)"),
    ("macos", 2, "Unified logs", r"/var/db/(?:diagnostics|uuidtext)(?:/|$)|\.tracev3$"),
    ("linux", 3, "etc/passwd", r"/etc/(?:passwd|shadow|group)$"),
    (
        "linux",
        3,
        "etc/os-release",
        r"/etc/(?:os-release|lsb-release|debian_version|redhat-release|alpine-release|arch-release)$",
    ),
    ("linux", 2, "etc/fstab", r"/etc/(?:fstab|crontab|sudoers|hostname|ssh/sshd_config|init\.d|systemd)(?:/|$)"),
    (
        "linux",
        3,
        "var/log",
        r"/var/log/(?:syslog|auth\.log|messages|secure|dpkg\.log|kern\.log|wtmp|btmp|lastlog|audit|journal|apt|yum)",
    ),
    ("linux", 2, "var/lib/dpkg", r"/var/lib/(?:dpkg|rpm|apt|systemd|pacman)(?:/|$)"),
    ("linux", 2, "usr/lib/systemd", r"/(?:usr/)?lib/(?:systemd|modules|x86_64-linux-gnu)(?:/|$)"),
    ("linux", 2, "kernels in boot", r"/boot/(?:vmlinuz|initrd|grub)"),
    ("linux", 2, "shell histories", r"/(?:home/[^/]+|root)/\.(?:bash|zsh|sh)_history$"),
    ("linux", 1, "proc", r"/proc/(?:\d+|meminfo|version)(?:/|$)"),
)

# type of content (filetype.py): platform, weight; the marker shown is the type
CONTENT: dict[str, tuple[str, int]] = {
    "registry hive": ("windows", 3),
    "registry hive (Windows 9x)": ("windows", 3),
    "registry export": ("windows", 2),
    "Windows event log": ("windows", 3),
    "Windows event log (NT)": ("windows", 3),
    "prefetch": ("windows", 3),
    "Windows shortcut": ("windows", 3),
    "recycle bin entry": ("windows", 3),
    "NTFS file table": ("windows", 2),
    "thumbnail cache": ("windows", 2),
    "Internet Explorer history": ("windows", 3),
    "Windows Defender detection": ("windows", 2),
    "shim database": ("windows", 1),
    "ESE database": ("windows", 3),
    "systemd journal": ("linux", 3),
    "login records": ("linux", 2),
    "locate database": ("linux", 2),
    "Android backup": ("android", 4),
    "Android binary XML": ("android", 2),
    "Android package": ("android", 1),
    "Android runtime file": ("android", 2),
    "Unified log": ("macos", 3),
    "Apple system log": ("macos", 2),
    "login records (macOS)": ("macos", 2),
    "FSEvents page": ("macos", 2),
    "macOS keychain": ("macos", 3),
    "Finder folder settings": ("macos", 1),
}

IMAGES = frozenset(
    (
        "EnCase image", "EnCase image (Ex01)", "AFF image", "VMDK", "VHD", "VHDX", "QCOW", "VirtualBox disk",
        "GPT disk",
        "Apple sparse image", "Apple encrypted image", "Android sparse image", "LUKS volume", "BitLocker volume",
        "NTFS volume", "exFAT volume", "FAT volume", "LVM volume", "HFS+ volume", "APFS container", "XFS volume",
        "F2FS volume", "ext volume", "disk (MBR)", "squashfs", "EnCase logical image", "AD1 image", "boot sector",
    )
)  # fmt: skip
PICTURES = frozenset(
    (
        "JPEG", "PNG", "GIF", "BMP", "TIFF", "WebP", "HEIF picture", "Canon raw picture", "Fujifilm raw picture",
        "JPEG XL",
        "JPEG 2000", "Photoshop picture", "MPEG-4", "QuickTime movie", "AVI", "Matroska", "Windows Media", "MPEG video",
        "Flash video", "MP3", "WAVE sound", "AMR sound", "Ogg", "FLAC", "AAC sound",
    )
)  # fmt: skip
CAPTURES = frozenset(("pcap", "pcapng", "network capture (snoop, NetMon)"))
MAIL = frozenset(("Outlook store", "Outlook Express folder", "mailbox (mbox)", "e-mail"))
LOGS = frozenset(
    (
        "Windows event log", "Windows event log (NT)", "systemd journal", "login records", "login records (macOS)",
        "Unified log", "Apple system log", "log",
    )
)  # fmt: skip
# where only names are known (listings): extension to category
EXTENSIONS: dict[str, str] = {
    extension: category
    for category, extensions in (
        ("media", "jpg jpeg png gif bmp tif tiff webp heic heif dng cr2 nef arw raf mp4 mov avi mkv 3gp mp3 wav m4a"),
        ("capture", "pcap pcapng cap"),
        ("mail", "pst ost mbox eml emlx msg dbx olm"),
        ("log", "evtx evt log journal tracev3 etl asl"),
        ("image", "e01 ex01 vmdk vhd vhdx qcow2 vdi dd raw img dmg aff"),
    )
    for extension in extensions.split()
}
