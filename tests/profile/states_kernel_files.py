"""The states that the controls of the kernel, the network and files were tried in."""

from tests.profile.hosts import (
    LISTENERS,
    REDIRECTS,
    Host,
    build_file,
    build_ubuntu,
    change_commands,
    change_files,
)
from tests.profile.state import FAILS, PASSES, SKIPS, State

UBUNTU = build_ubuntu()


def set_kernel(name: str, value: str | None) -> Host:
    return change_files(UBUNTU, {f"/proc/sys/{name.replace('.', '/')}": value})


def set_redirects(old: str, new: str) -> Host:
    assert old in REDIRECTS
    return change_commands(UBUNTU, {"^grep .*accept_redirects": [0, REDIRECTS.replace(old, new)]})


def set_mode(path: str, mode: str, owner: str = "root") -> Host:
    return UBUNTU | {"files": UBUNTU["files"] | {path: build_file("x", mode, owner)}}


KERNEL = [
    State("ec2-kern-01", "half of it", FAILS, set_kernel("kernel.randomize_va_space", "1\n")),
    State(
        "ec2-kern-01",
        "the kernel does not show it",
        SKIPS,
        set_kernel("kernel.randomize_va_space", None),
    ),
    State(
        "ec2-kern-02",
        "all and default are off, an interface is on",
        FAILS,
        set_redirects("ipv6/conf/ens5/accept_redirects:0", "ipv6/conf/ens5/accept_redirects:1"),
    ),
    State(
        "ec2-kern-02",
        "an interface that forwards is on, which has no effect",
        PASSES,
        set_redirects(
            "ipv4/conf/ens5/accept_redirects:0\n/proc/sys/net/ipv4/conf/ens5/forwarding:0",
            "ipv4/conf/ens5/accept_redirects:1\n/proc/sys/net/ipv4/conf/ens5/forwarding:1",
        ),
    ),
    State(
        "ec2-kern-02",
        "the interface lo is on",
        PASSES,
        set_redirects("ipv4/conf/lo/accept_redirects:0", "ipv4/conf/lo/accept_redirects:1"),
    ),
    State(
        "ec2-kern-02",
        "no IPv6",
        PASSES,
        change_files(
            UBUNTU,
            {
                f"/proc/sys/net/ipv6/conf/{which}/accept_redirects": None
                for which in ("all", "default")
            },
        ),
    ),
    State(
        "ec2-kern-02",
        "the kernel shows none",
        SKIPS,
        change_commands(
            change_files(
                UBUNTU,
                {
                    f"/proc/sys/net/{family}/conf/{which}/accept_redirects": None
                    for family in ("ipv4", "ipv6")
                    for which in ("all", "default")
                },
            ),
            {"^grep .*accept_redirects": [2, ""]},
        ),
    ),
    State(
        "ec2-kern-03",
        "on for new interfaces",
        FAILS,
        set_kernel("net.ipv4.conf.default.accept_source_route", "1\n"),
    ),
    State("ec2-kern-03", "-1 for IPv6", PASSES, UBUNTU),
    State(
        "ec2-kern-03",
        "the kernel shows none",
        SKIPS,
        change_files(
            UBUNTU,
            {
                f"/proc/sys/net/{family}/conf/{which}/accept_source_route": None
                for family in ("ipv4", "ipv6")
                for which in ("all", "default")
            },
        ),
    ),
    State("ec2-kern-04", "always on", PASSES, set_kernel("net.ipv4.tcp_syncookies", "2\n")),
    State("ec2-kern-04", "off", FAILS, set_kernel("net.ipv4.tcp_syncookies", "0\n")),
    State(
        "ec2-kern-04",
        "the kernel does not show it",
        SKIPS,
        set_kernel("net.ipv4.tcp_syncookies", None),
    ),
    State("ec2-kern-05", "one is open", FAILS, set_kernel("kernel.kptr_restrict", "0\n")),
    State(
        "ec2-kern-05",
        "one is open, the other is not shown",
        FAILS,
        change_files(
            set_kernel("kernel.kptr_restrict", "0\n"), {"/proc/sys/kernel/dmesg_restrict": None}
        ),
    ),
    State(
        "ec2-kern-05",
        "one is closed, the other is not shown",
        SKIPS,
        set_kernel("kernel.dmesg_restrict", None),
    ),
    State("ec2-net-01", "telnet on the loopback address only", PASSES, UBUNTU),
    State(
        "ec2-net-01",
        "telnet on an address of IPv6",
        FAILS,
        change_commands(UBUNTU, {"ss -ltn$": [0, f"{LISTENERS}LISTEN 0 5 [::]:23 [::]:*\n"]}),
    ),
    State(
        "ec2-net-01",
        "no listener",
        PASSES,
        change_commands(UBUNTU, {"ss -ltn$": [0, LISTENERS.splitlines()[0] + "\n"]}),
    ),
    State("ec2-net-01", "ss prints nothing", SKIPS, change_commands(UBUNTU, {"ss -ltn$": [0, ""]})),
    State(
        "ec2-net-01", "ss is not installed", SKIPS, change_commands(UBUNTU, {"ss -ltn$": [127, ""]})
    ),
]

FILES = [
    *(
        state
        for control, path, good, bad in (
            ("ec2-file-01", "/etc/passwd", "0644", "0664"),
            ("ec2-file-02", "/etc/group", "0640", "0646"),
            ("ec2-file-03", "/etc/shadow", "0000", "0644"),
            ("ec2-file-04", "/etc/gshadow", "0600", "0660"),
        )
        for state in (
            State(control, f"mode {good}", PASSES, set_mode(path, good)),
            State(control, f"mode {bad}", FAILS, set_mode(path, bad)),
            State(control, "another owner", FAILS, set_mode(path, good, "daemon")),
            State(control, "no such file", SKIPS, change_files(UBUNTU, {path: None})),
        )
    ),
    State(
        "ec2-file-05",
        "a directory was found before the time was up",
        FAILS,
        change_commands(UBUNTU, {"find / -xdev": [124, "/srv/open\n"]}),
    ),
    State(
        "ec2-file-05",
        "a directory was found without root",
        FAILS,
        change_commands(UBUNTU, {"find / -xdev": [1, "/srv/open\n"], "^id -u$": [0, "1000\n"]}),
    ),
    State(
        "ec2-file-05",
        "the time was up",
        SKIPS,
        change_commands(UBUNTU, {"find / -xdev": [124, ""]}),
    ),
    State(
        "ec2-file-05",
        "a run without root",
        SKIPS,
        change_commands(UBUNTU, {"^id -u$": [0, "1000\n"]}),
    ),
]

STATES = [*KERNEL, *FILES]
