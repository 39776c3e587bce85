"""The states that the controls of the metadata service, the agent and updates were tried in."""

from tests.profile.hosts import (
    BOOKWORM,
    BOOKWORM_SECURITY,
    DEBIAN_LISTS,
    JAMMY_SECURITY,
    JAMMY_UPDATES,
    UBUNTU_LISTS,
    Host,
    add_commands,
    build_amazon,
    build_file,
    build_policy,
    build_ubuntu,
    change_commands,
    change_files,
)
from tests.profile.state import FAILS, PASSES, SKIPS, State

UBUNTU = build_ubuntu()
AMAZON = build_amazon()
NEWEST = "dnf --quiet --releasever=latest .*--security check-update"
LOCKED = "dnf --quiet --security check-update"
NOTICES = "dnf .*updateinfo"
FRESH = "^find /var/lib/apt/lists"
OPENSSL = "\nopenssl.x86_64   1:3.0.8-1   amazonlinux\n"
ESM = "https://esm.ubuntu.com/infra/ubuntu jammy-infra-security/main amd64 Packages"
ESM_LIST = (
    "UbuntuESM|UbuntuESM|jammy-infra-security|jammy|main|/var/lib/apt/lists/esm.ubuntu.com_infra"
    f"_ubuntu_dists_jammy-infra-security_main_binary-amd64_Packages|{ESM}\n"
)
STRICT = "'--setopt=[*].skip_if_unavailable=0' .*--disableexcludes=all --disableplugin=versionlock "


def build_debian(policy: str) -> Host:
    """Return a Debian host with these versions."""
    host = change_files(UBUNTU, {"/etc/os-release": "ID=debian\nVERSION_CODENAME=bookworm\n"})
    return add_commands(
        host | {"name": "debian"},
        {
            "apt-get indextargets": [0, DEBIAN_LISTS],
            "^find /var/lib/apt/lists .*_bookworm-security_Release'.*-mtime -7 ": [
                0,
                "x_Release\n",
            ],
            "apt-cache policy": [0, policy],
        },
    )


def build_yum(results: dict[str, list[object]]) -> Host:
    """Return an Amazon Linux 2 host."""
    host = change_files(AMAZON, {"/usr/bin/dnf": None, "/usr/bin/yum": ""})
    return add_commands(host, results)


def set_policy(*policies: str) -> Host:
    return change_commands(UBUNTU, {"apt-cache policy": [0, "".join(policies)]})


def set_dnf(results: dict[str, list[object]]) -> Host:
    return change_commands(AMAZON, results)


DEBIAN = build_debian(build_policy("openssl", "3.0.11-1~deb12u2"))
ROCKY: Host = AMAZON | {
    "name": "rocky",
    "files": AMAZON["files"] | {"/etc/dnf/vars/releasever": build_file("8.4\n")},
}

INSTANCE = [
    State("ec2-imds-01", "401, a token is asked for", PASSES, UBUNTU),
    State(
        "ec2-imds-01", "403, switched off", PASSES, change_commands(UBUNTU, {"curl ": [0, "403"]})
    ),
    State(
        "ec2-imds-01", "200, without a token", FAILS, change_commands(UBUNTU, {"curl ": [0, "200"]})
    ),
    State("ec2-imds-01", "no answer", SKIPS, change_commands(UBUNTU, {"curl ": [28, "000"]})),
    State(
        "ec2-imds-01",
        "another service answers",
        SKIPS,
        change_commands(UBUNTU, {"curl ": [0, "404"]}),
    ),
    State(
        "ec2-imds-01", "curl is not installed", SKIPS, change_commands(UBUNTU, {"curl ": [127, ""]})
    ),
    State("ec2-agent-01", "the package", PASSES, AMAZON),
    State("ec2-agent-01", "the snap", PASSES, UBUNTU),
    State("ec2-agent-01", "it does not run", FAILS, UBUNTU | {"services": {}}),
    State("ec2-agent-01", "no systemd", SKIPS, change_files(UBUNTU, {"/run/systemd/system": None})),
    State(
        "ec2-agent-01",
        "systemd does not answer",
        SKIPS,
        change_commands(UBUNTU, {"^timeout 20 systemctl": [1, ""]}) | {"services": {}},
    ),
]

APT = [
    State(
        "ec2-update-01",
        "Ubuntu, an update that is no security update",
        PASSES,
        set_policy(build_policy("vim", "2", ("3", JAMMY_UPDATES))),
    ),
    State(
        "ec2-update-01",
        "Debian, a security update",
        FAILS,
        build_debian(build_policy("openssl", "1", ("2", BOOKWORM_SECURITY))),
    ),
    State(
        "ec2-update-01",
        "Debian, the main suite is newer than a pending security update",
        FAILS,
        build_debian(build_policy("openssl", "1", ("3", BOOKWORM), ("2", BOOKWORM_SECURITY))),
    ),
    State(
        "ec2-update-01",
        "Debian, the main suite is newer, the security update is installed",
        PASSES,
        build_debian(build_policy("openssl", "2", ("3", BOOKWORM))),
    ),
    State(
        "ec2-update-01",
        "Ubuntu, a security update on hold or pinned",
        FAILS,
        # The candidate is then the installed version.
        set_policy(
            build_policy("openssl", "1", ("2", JAMMY_SECURITY)).replace(
                "Candidate: 2", "Candidate: 1"
            )
        ),
    ),
    State(
        "ec2-update-01",
        "Ubuntu, an update of ESM without a subscription",
        PASSES,
        add_commands(
            set_policy(
                build_policy("openssl", "1", ("2", ESM)).replace("500 https", "-32768 https")
            ),
            {"apt-get indextargets": [0, UBUNTU_LISTS + ESM_LIST]},
        ),
    ),
    State(
        "ec2-update-01",
        "Ubuntu, an update of ESM",
        FAILS,
        add_commands(
            set_policy(build_policy("openssl", "1", ("2", ESM))),
            {"apt-get indextargets": [0, UBUNTU_LISTS + ESM_LIST]},
        ),
    ),
    State(
        "ec2-update-01",
        "no security source",
        SKIPS,
        change_commands(
            UBUNTU,
            {"apt-get indextargets": [0, "".join(UBUNTU_LISTS.splitlines(keepends=True)[:2])]},
        ),
    ),
    State(
        "ec2-update-01",
        "the security source of another release",
        SKIPS,
        change_files(UBUNTU, {"/etc/os-release": "VERSION_CODENAME=noble\n"}),
    ),
    State(
        "ec2-update-01",
        "the security list is old, another is fresh",
        SKIPS,
        change_commands(UBUNTU, {FRESH: [0, ""]}),
    ),
    State(
        "ec2-update-01",
        "the security list is old, and names an update",
        FAILS,
        change_commands(
            set_policy(build_policy("openssl", "1", ("2", JAMMY_SECURITY))), {FRESH: [0, ""]}
        ),
    ),
    State(
        "ec2-update-01",
        "the security list is old, and names no more updates than the input allows",
        SKIPS,
        change_commands(
            set_policy(build_policy("openssl", "1", ("2", JAMMY_SECURITY))), {FRESH: [0, ""]}
        ),
        {"max_pending_security_updates": 1},
    ),
    State(
        "ec2-update-01",
        "no lists at all",
        SKIPS,
        change_commands(UBUNTU, {"apt-get indextargets": [0, ""]}),
    ),
    State(
        "ec2-update-01",
        "apt-cache fails",
        SKIPS,
        change_commands(UBUNTU, {"apt-cache policy": [100, ""]}),
    ),
    State(
        "ec2-update-01",
        "the installed packages cannot be listed",
        SKIPS,
        change_commands(
            UBUNTU, {"apt-cache policy": [0, "Package files:\n 100 /var/lib/dpkg/status\n"]}
        ),
    ),
]

DNF = [
    State("ec2-update-01", "Amazon Linux 2023, nothing in the latest release", PASSES, AMAZON),
    State(
        "ec2-update-01",
        "Amazon Linux 2023 locked to its release, updates in the latest",
        FAILS,
        set_dnf({NEWEST: [100, OPENSSL]}),
    ),
    State(
        "ec2-update-01",
        "Amazon Linux 2023, a repository cannot be reached",
        SKIPS,
        # Told to leave out what it cannot reach, dnf has nothing to say and exits with 0.
        set_dnf({NEWEST: [0, ""]})
        | {"commands": [[f"dnf .*{STRICT}", [1, ""]], *AMAZON["commands"]]},
    ),
    State(
        "ec2-update-01",
        "Amazon Linux 2023, a repository cannot be reached, another has an update",
        FAILS,
        set_dnf({NEWEST: [1, ""], LOCKED: [100, OPENSSL]}),
    ),
    State(
        "ec2-update-01",
        "Rocky Linux locked to a minor release, updates in the newest",
        FAILS,
        add_commands(ROCKY, {"dnf --quiet --releasever=8 .*check-update$": [100, OPENSSL]}),
    ),
    State(
        "ec2-update-01",
        "CentOS Stream, whose repositories have no security notices",
        SKIPS,
        add_commands(
            AMAZON | {"name": "centos"},
            {"dnf --quiet '--setopt.*check-update$": [0, ""], NOTICES: [0, "\n"]},
        ),
    ),
    State(
        "ec2-update-01",
        "the name of a package fills the line",
        FAILS,
        set_dnf(
            {NEWEST: [100, "\njava-1.8.0-openjdk-headless-slowdebug.x86_64\n    1:1.8-1   core\n"]}
        ),
    ),
    State(
        "ec2-update-01",
        "updates in a form that is not known",
        FAILS,
        set_dnf({NEWEST: [100, "?\n"]}),
    ),
    State(
        "ec2-update-01",
        "obsoleted packages only",
        PASSES,
        set_dnf({NEWEST: [100, "Obsoleting Packages\nnew.noarch   2-1   core\n"]}),
    ),
    State("ec2-update-01", "dnf takes too long", SKIPS, set_dnf({NEWEST: [124, ""]})),
    State("ec2-update-01", "dnf cannot start", SKIPS, set_dnf({NEWEST: [1, ""], LOCKED: [1, ""]})),
    State(
        "ec2-update-01",
        "Amazon Linux 2, yum has nothing",
        PASSES,
        build_yum(
            {
                f"yum --quiet {STRICT}.*--security check-update$": [0, ""],
                "yum --quiet updateinfo list security all$": [
                    0,
                    "i ALAS2-2023-1 low/Sec. a-1.x86_64\n",
                ],
            }
        ),
    ),
    State(
        "ec2-update-01",
        "Amazon Linux 2, yum has an update",
        FAILS,
        build_yum({f"yum --quiet {STRICT}.*--security check-update$": [100, OPENSSL]}),
    ),
    State(
        "ec2-update-01",
        "Amazon Linux 2, a repository cannot be reached",
        SKIPS,
        build_yum({f"yum .*{STRICT}": [1, ""], "yum .*check-update$": [0, ""]}),
    ),
    State(
        "ec2-update-01", "neither dnf nor yum", SKIPS, change_files(AMAZON, {"/usr/bin/dnf": None})
    ),
]

REBOOT = [
    State("ec2-update-02", "Ubuntu, no mark", PASSES, UBUNTU),
    State(
        "ec2-update-02", "Ubuntu, a mark", FAILS, change_files(UBUNTU, {"/run/reboot-required": ""})
    ),
    State(
        "ec2-update-02",
        "Debian, nothing would set a mark",
        SKIPS,
        change_files(DEBIAN, {"/usr/share/update-notifier/notify-reboot-required": None}),
    ),
    State(
        "ec2-update-02",
        "needs-restarting says yes",
        FAILS,
        set_dnf(
            {"needs-restarting": [1, "  * kernel\n\nReboot is required to fully utilize these\n"]}
        ),
    ),
    State(
        "ec2-update-02",
        "dnf cannot start (1, no output)",
        SKIPS,
        set_dnf({"needs-restarting": [1, ""]}),
    ),
    State(
        "ec2-update-02",
        "dnf cannot start (1, an error on its output)",
        SKIPS,
        set_dnf({"needs-restarting": [1, "Error: Failed to open the rpm database\n"]}),
    ),
    State(
        "ec2-update-02",
        "needs-restarting fails otherwise",
        SKIPS,
        set_dnf({"needs-restarting": [2, ""]}),
    ),
    State(
        "ec2-update-02",
        "the plugin of dnf without the program",
        FAILS,
        add_commands(
            change_files(AMAZON, {"/usr/bin/needs-restarting": None}),
            {"/usr/bin/dnf needs-restarting -r$": [1, "Reboot is required\n"]},
        ),
    ),
    State(
        "ec2-update-02",
        "neither the program nor the plugin",
        SKIPS,
        add_commands(
            change_files(AMAZON, {"/usr/bin/needs-restarting": None}),
            {"/usr/bin/dnf needs-restarting -r$": [1, "No such command: needs-restarting.\n"]},
        ),
    ),
]

STATES = [*INSTANCE, *APT, *DNF, *REBOOT]
