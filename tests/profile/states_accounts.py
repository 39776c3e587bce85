"""The states that the controls of accounts and sudo were tried in."""

from tests.profile.hosts import (
    PASSWD,
    SHADOW,
    Host,
    add_commands,
    build_ubuntu,
    change_commands,
    change_files,
)
from tests.profile.state import FAILS, PASSES, SKIPS, State

UBUNTU = build_ubuntu()


def set_accounts(passwd: str = PASSWD, shadow: str | None = SHADOW) -> Host:
    """Return a host with other accounts."""
    return change_files(UBUNTU, {"/etc/passwd": passwd, "/etc/shadow": shadow})


def set_rules(*lines: str) -> Host:
    """Return a host with these lines in a file of sudoers.d."""
    return change_files(UBUNTU, {"/etc/sudoers.d/90-cloud": "\n".join((*lines, ""))})


def without_root(host: Host) -> Host:
    return change_commands(host, {"^id -u$": [0, "1000\n"]})


NIS = "+@admins::::::\n+@others::::::\n-mallory::::::\n+::::::\n"

ACCOUNTS = [
    State("ec2-acct-01", "NIS lines", PASSES, set_accounts(f"{PASSWD}+::0:0:::\n")),
    State("ec2-acct-01", "a commented line", PASSES, set_accounts(f"{PASSWD}#toor:x:0:0::/:/x\n")),
    State(
        "ec2-acct-01",
        "a second UID 0 in a line without its last fields",
        FAILS,
        set_accounts(f"{PASSWD}toor:x:0:0\n"),
    ),
    State("ec2-acct-01", "passwd cannot be read", SKIPS, change_files(UBUNTU, {"/etc/passwd": ""})),
    State(
        "ec2-acct-02",
        "NIS lines in passwd and shadow",
        PASSES,
        set_accounts(f"{PASSWD}{NIS}", f"{SHADOW}+::::::::\n-bob::::::::\n"),
    ),
    State(
        "ec2-acct-02",
        "an empty field in shadow",
        FAILS,
        set_accounts(shadow=f"{SHADOW}a::1:::::\n"),
    ),
    State(
        "ec2-acct-02",
        "an empty field in passwd, shadow cannot be read",
        FAILS,
        set_accounts(f"{PASSWD}first::1001:1001::/:/bin/sh\n", ""),
    ),
    State("ec2-acct-02", "shadow cannot be read", SKIPS, set_accounts(shadow="")),
    State("ec2-acct-02", "no shadow at all", PASSES, set_accounts(shadow=None)),
    State("ec2-acct-03", "NIS lines", PASSES, set_accounts(f"{PASSWD}{NIS}")),
    State(
        "ec2-acct-03",
        "a line without a shell, which means sh",
        FAILS,
        set_accounts(f"{PASSWD}app:x:200:200\n"),
    ),
    State("ec2-acct-03", "passwd cannot be read", SKIPS, change_files(UBUNTU, {"/etc/passwd": ""})),
    State("ec2-acct-04", "NIS lines", PASSES, set_accounts(f"{PASSWD}{NIS}")),
    State(
        "ec2-acct-04", "one UID written twice", FAILS, set_accounts(f"{PASSWD}a:x:01000:1::/:/x\n")
    ),
    State("ec2-acct-04", "passwd cannot be read", SKIPS, change_files(UBUNTU, {"/etc/passwd": ""})),
]

LINKED = add_commands(
    change_files(UBUNTU, {"/etc/sudoers.d/app": "app ALL=(ALL) NOPASSWD: ALL\n"}),
    {
        "^find -L /etc/sudoers.d -maxdepth 1 -type f ": [
            0,
            "/etc/sudoers.d/90-cloud\n/etc/sudoers.d/app\n",
        ]
    },
)

SUDO = [
    State(
        "ec2-sudo-01",
        "the directory of the rules is open",
        FAILS,
        change_commands(UBUNTU, {"^find -L /etc/sudoers .": [0, "/etc/sudoers.d\n"]}),
    ),
    State(
        "ec2-sudo-01",
        "an open file that sudo ignores",
        PASSES,
        change_files(UBUNTU, {"/etc/sudoers.d/app.bak": "x"}),
    ),
    State(
        "ec2-sudo-01",
        "find fails after it named an open file",
        FAILS,
        change_commands(UBUNTU, {"^find -L /etc/sudoers .": [1, "/etc/sudoers\n"]}),
    ),
    State(
        "ec2-sudo-01",
        "find fails",
        SKIPS,
        change_commands(UBUNTU, {"^find -L /etc/sudoers .": [1, ""]}),
    ),
    State(
        "ec2-sudo-01", "sudo is not installed", SKIPS, change_files(UBUNTU, {"/etc/sudoers": None})
    ),
    State(
        "ec2-sudo-02",
        "rules in a file with a dot or ~ in its name",
        PASSES,
        change_files(
            UBUNTU,
            {
                "/etc/sudoers.d/app.bak": "app ALL=(ALL) NOPASSWD: ALL\n",
                "/etc/sudoers.d/app~": "app ALL=(ALL) NOPASSWD: ALL\n",
            },
        ),
    ),
    State(
        "ec2-sudo-02",
        "sudoers does not include sudoers.d",
        PASSES,
        change_files(
            UBUNTU,
            {
                "/etc/sudoers": "root ALL=(ALL) ALL\n",
                "/etc/sudoers.d/90-cloud": "app ALL=(ALL) NOPASSWD: ALL\n",
            },
        ),
    ),
    State(
        "ec2-sudo-02",
        "the rule of an allowed account continues on the next line",
        PASSES,
        set_rules("ubuntu ALL = \\", "    (ALL) \\", "    NOPASSWD: ALL"),
    ),
    State(
        "ec2-sudo-02",
        "the rule of another account continues on the next line",
        FAILS,
        set_rules("app ALL = \\", "    (ALL) NOPASSWD: ALL"),
    ),
    State(
        "ec2-sudo-02",
        "a comment with a backslash at its end",
        FAILS,
        set_rules("# was: \\", "app ALL=(ALL) NOPASSWD: ALL"),
    ),
    State(
        "ec2-sudo-02",
        "NOPASSWD in comments only",
        PASSES,
        set_rules("# app ALL=(ALL) NOPASSWD: ALL", "app ALL=(ALL) ALL # not NOPASSWD: ALL"),
    ),
    State(
        "ec2-sudo-02",
        "a rule by the UID of an allowed account",
        PASSES,
        set_rules("#1000 ALL=NOPASSWD: ALL"),
    ),
    State(
        "ec2-sudo-02", "a rule by another UID", FAILS, set_rules("#1001 ALL=(ALL) NOPASSWD: ALL")
    ),
    State(
        "ec2-sudo-02",
        "a list of accounts of which one is not allowed",
        FAILS,
        set_rules("ubuntu , app ALL=(ALL) NOPASSWD: ALL"),
    ),
    State(
        "ec2-sudo-02",
        "a list of allowed accounts",
        PASSES,
        set_rules("ubuntu, admin, !app ALL=(ALL) NOPASSWD: ALL"),
    ),
    State(
        "ec2-sudo-02",
        "an alias of an allowed account",
        PASSES,
        set_rules("User_Alias CLOUD = ubuntu : OPS = app", "CLOUD ALL=(ALL) NOPASSWD: ALL"),
    ),
    State(
        "ec2-sudo-02",
        "an alias of another account",
        FAILS,
        set_rules("User_Alias CLOUD = ubuntu : OPS = app", "OPS ALL=(ALL) NOPASSWD: ALL"),
    ),
    State("ec2-sudo-02", "a group", FAILS, set_rules("%ops ALL=(ALL) NOPASSWD: ALL")),
    State("ec2-sudo-02", "a rule in a file behind a symbolic link", FAILS, LINKED),
    State(
        "ec2-sudo-02",
        "a rule in a file that #include names",
        FAILS,
        change_files(
            UBUNTU,
            {
                "/etc/sudoers": "#include sudoers.local\n",
                "/etc/sudoers.local": "app ALL=(ALL) NOPASSWD: ALL\n",
            },
        ),
    ),
    State(
        "ec2-sudo-02",
        "!authenticate for everybody",
        FAILS,
        set_rules("Defaults env_reset, !authenticate"),
    ),
    State(
        "ec2-sudo-02",
        "!authenticate for another account",
        FAILS,
        set_rules("Defaults:app !authenticate"),
    ),
    State(
        "ec2-sudo-02",
        "!authenticate for an allowed account",
        PASSES,
        set_rules("Defaults:ubuntu, admin !authenticate"),
    ),
    State(
        "ec2-sudo-02",
        "!authenticate that is taken back",
        PASSES,
        set_rules("Defaults !authenticate", "Defaults authenticate"),
    ),
    State(
        "ec2-sudo-02",
        "a group that exempt_group names",
        FAILS,
        set_rules("Defaults exempt_group = ops"),
    ),
    State(
        "ec2-sudo-02",
        "the files of sudoers.d cannot be listed",
        SKIPS,
        change_commands(UBUNTU, {"^find -L /etc/sudoers.d ": [1, ""]}),
    ),
    State("ec2-sudo-02", "a run without root", SKIPS, without_root(UBUNTU)),
]

STATES = [*ACCOUNTS, *SUDO]
