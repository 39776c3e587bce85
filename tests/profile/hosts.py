"""Made-up hosts for the profile: hardened, broken and unreadable."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

Host = dict[str, Any]

SSHD = """permitrootlogin no
passwordauthentication no
kbdinteractiveauthentication no
usepam yes
permitemptypasswords no
maxauthtries 4
x11forwarding no
authenticationmethods any
hostkey /etc/ssh/ssh_host_ed25519_key
ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com
macs hmac-sha2-512-etm@openssh.com,umac-128-etm@openssh.com
"""
BROKEN_SSHD = """permitrootlogin yes
passwordauthentication yes
kbdinteractiveauthentication yes
usepam yes
permitemptypasswords yes
maxauthtries 6
x11forwarding yes
ciphers aes256-ctr,3des-cbc
macs hmac-md5,umac-64@openssh.com
"""
PASSWD = """root:x:0:0:root:/root:/bin/bash
daemon:x:1:1::/usr/sbin:/usr/sbin/nologin
sync:x:4:65534::/bin:/bin/sync
ubuntu:x:1000:1000:M\udcfcller:/home/ubuntu:/bin/bash
"""
SHADOW = "root:*:19000::::::\nubuntu:!:19000::::::\n"
SUDOERS = """Defaults env_reset
root ALL=(ALL:ALL) ALL
%sudo ALL=(ALL:ALL) ALL
@includedir /etc/sudoers.d
"""
CHRONY = """! pool ignored.example.com
confdir /etc/chrony/conf.d
sourcedir /run/chrony-dhcp
sourcedir /etc/chrony/sources.d
"""
AUDIT_RULES = "-w /etc/ -p wa -k identity\n"
LISTENERS = """State   Recv-Q  Send-Q   Local Address:Port   Peer Address:Port  Process
LISTEN  0       128            0.0.0.0:22          0.0.0.0:*
LISTEN  0       128          127.0.0.1:23          0.0.0.0:*
LISTEN  0       128              [::1]:514            [::]:*
"""
KERNEL = {
    "kernel/randomize_va_space": "2",
    "kernel/kptr_restrict": "1",
    "kernel/dmesg_restrict": "1",
    "net/ipv4/tcp_syncookies": "1",
    "net/ipv4/conf/all/accept_redirects": "0",
    "net/ipv4/conf/default/accept_redirects": "0",
    "net/ipv6/conf/all/accept_redirects": "0",
    "net/ipv6/conf/default/accept_redirects": "0",
    "net/ipv4/conf/all/accept_source_route": "0",
    "net/ipv4/conf/default/accept_source_route": "0",
    "net/ipv6/conf/all/accept_source_route": "-1",
    "net/ipv6/conf/default/accept_source_route": "0",
}
REDIRECTS = "".join(
    f"/proc/sys/net/{family}/conf/{interface}/{name}:0\n"
    for family in ("ipv4", "ipv6")
    for interface in ("all", "default", "ens5", "lo")
    for name in ("accept_redirects", "forwarding")
)
# What apt-get indextargets prints: origin, label, suite, codename, component, file, description.
UBUNTU_LISTS = "".join(
    f"Ubuntu|Ubuntu|{suite}|jammy|main|/var/lib/apt/lists/{host}_ubuntu_dists_{suite}_main"
    f"_binary-amd64_Packages.lz4|http://{host}/ubuntu {suite}/main amd64 Packages\n"
    for host, suite in (
        ("archive.ubuntu.com", "jammy"),
        ("archive.ubuntu.com", "jammy-updates"),
        ("security.ubuntu.com", "jammy-security"),
    )
)
DEBIAN_LISTS = "".join(
    f"Debian|{label}|{suite}|{codename}|main|/var/lib/apt/lists/deb.debian.org_{path}_dists_{codename}"
    f"_main_binary-amd64_Packages|http://deb.debian.org/{path} {codename}/main amd64 Packages\n"
    for label, suite, codename, path in (
        ("Debian", "stable", "bookworm", "debian"),
        ("Debian-Security", "stable-security", "bookworm-security", "debian-security"),
    )
)
# dnf marks those that are installed.
NOTICES = "i ALAS2023-2023-001 important/Sec. openssl-1:3.0.8-1.amzn2023.x86_64\n"


def build_policy(package: str, installed: str, *newer: tuple[str, str]) -> str:
    """Return what apt-cache policy prints: newer versions with their source, newest first."""
    rows = "".join(f"     {version} 500\n        500 {source}\n" for version, source in newer)
    candidate = newer[0][0] if newer else installed
    return (
        f"{package}:\n  Installed: {installed}\n  Candidate: {candidate}\n"
        f"  Version table:\n{rows} *** {installed} 100\n        100 /var/lib/dpkg/status\n"
    )


JAMMY_UPDATES = "http://archive.ubuntu.com/ubuntu jammy-updates/main amd64 Packages"
JAMMY_SECURITY = "http://security.ubuntu.com/ubuntu jammy-security/main amd64 Packages"
BOOKWORM = "http://deb.debian.org/debian bookworm/main amd64 Packages"
BOOKWORM_SECURITY = "http://deb.debian.org/debian-security bookworm-security/main amd64 Packages"


def build_file(content: str, mode: str = "0644", owner: str = "root") -> dict[str, str]:
    """Return a readable file."""
    return {"content": content, "mode": mode, "owner": owner}


def build_ubuntu() -> Host:
    """Return a hardened Ubuntu host."""
    return {
        "family": "debian",
        "name": "ubuntu",
        "services": {
            "auditd": ["enabled", "running"],
            "chrony": ["enabled", "running"],
            "snap.amazon-ssm-agent.amazon-ssm-agent": ["enabled", "running"],
        },
        "files": {
            "/run/systemd/system": {"mode": "0755"},
            "/usr/sbin/sshd": {"mode": "0755"},
            "/etc/os-release": build_file("ID=ubuntu\nVERSION_CODENAME=jammy\n"),
            "/etc/ssh/sshd_config": build_file("Include /etc/ssh/sshd_config.d/*.conf\n"),
            "/etc/ssh/sshd_config.d": {"mode": "0755"},
            "/etc/ssh/sshd_config.d/50-cloud.conf": build_file("PasswordAuthentication no\n"),
            "/etc/ssh/ssh_host_ed25519_key": {"mode": "0600"},
            "/etc/passwd": build_file(PASSWD),
            "/etc/group": build_file("root:x:0:\n"),
            "/etc/shadow": build_file(SHADOW, "0640"),
            "/etc/gshadow": build_file("root:*::\n", "0640"),
            "/etc/login.defs": build_file("UID_MIN   1000\n"),
            "/etc/sudoers": build_file(SUDOERS, "0440"),
            "/etc/sudoers.d": {"mode": "0750"},
            "/etc/sudoers.d/90-cloud": build_file("ubuntu ALL=(ALL) NOPASSWD:ALL\n", "0440"),
            "/etc/audit/auditd.conf": build_file("max_log_file_action = keep_logs\nnum_logs = 5\n"),
            "/sbin/auditctl": {"mode": "0755"},
            "/etc/chrony/chrony.conf": build_file(CHRONY),
            "/etc/chrony/sources.d": {"mode": "0755"},
            "/etc/chrony/sources.d/ubuntu.sources": build_file("pool ntp.ubuntu.com iburst\n"),
            "/usr/share/update-notifier/notify-reboot-required": {"mode": "0755"},
            **{f"/proc/sys/{name}": build_file(f"{value}\n") for name, value in KERNEL.items()},
        },
        "commands": [
            ["^id -u$", [0, "0\n"]],
            ["sshd -T", [0, SSHD]],
            [
                "^timeout 20 ps -ww -C sshd ",
                [0, "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups\n"],
            ],
            ["^find -L /etc/ssh .*-perm /0037", [0, ""]],
            [
                "^find -L /etc/ssh/sshd_config.d -maxdepth 1 -type f -name '[*].conf' -print$",
                [0, "/etc/ssh/sshd_config.d/50-cloud.conf\n"],
            ],
            ["^find -L /etc/ssh/sshd_config .*-perm /0022", [0, ""]],
            [
                "^find -L /etc/sudoers.d -maxdepth 1 -type f ! -name '[*].[*]' ! -name '[*]~' ",
                [0, "/etc/sudoers.d/90-cloud\n"],
            ],
            ["^find -L /etc/sudoers .*-perm /0022", [0, ""]],
            ["^timeout 20 systemctl show ", [0, "Version=249\n"]],
            ["auditctl -l$", [0, AUDIT_RULES]],
            ["auditctl -s$", [0, "enabled 1\nfailure 1\npid 700\n"]],
            [
                "^find -L /etc/chrony/sources.d -maxdepth 1 -type f -name '[*].sources' -print$",
                [0, "/etc/chrony/sources.d/ubuntu.sources\n"],
            ],
            ["^grep .*accept_redirects", [0, REDIRECTS]],
            ["ss -ltn$", [0, LISTENERS]],
            ["find / -xdev", [1, ""]],
            ["curl ", [0, "401"]],
            ["apt-get indextargets", [0, UBUNTU_LISTS]],
            [
                "^find /var/lib/apt/lists .*'security.*_jammy-security_InRelease'.*-mtime -7 ",
                [
                    0,
                    "/var/lib/apt/lists/security.ubuntu.com_ubuntu_dists_jammy-security_InRelease\n",
                ],
            ],
            ["apt-cache policy", [0, build_policy("vim", "2", ("3", JAMMY_UPDATES))]],
        ],
    }


def build_amazon() -> Host:
    """Return a hardened Amazon Linux 2023 host."""
    host = build_ubuntu()
    host |= {"family": "redhat", "name": "amazon"}
    host["services"] = {
        "auditd": ["enabled", "running"],
        "chronyd": ["enabled", "running"],
        "amazon-ssm-agent": ["enabled", "running"],
    }
    for gone in (
        "/etc/chrony/chrony.conf",
        "/etc/chrony/sources.d",
        "/usr/share/update-notifier/notify-reboot-required",
    ):
        del host["files"][gone]
    host["files"] |= {
        "/etc/chrony.conf": build_file("sourcedir /run/chrony.d\n"),
        "/run/chrony.d": {"mode": "0755"},
        "/run/chrony.d/link-local.sources": build_file("server 169.254.169.123 prefer\n"),
        "/usr/bin/dnf": {"mode": "0755"},
        "/usr/bin/needs-restarting": {"mode": "0755"},
        "/etc/shadow": build_file(SHADOW, "0000"),
        "/etc/audit/auditd.conf": build_file("max_log_file_action = ROTATE\nnum_logs = 8\n"),
    }
    host["commands"] += [
        [
            "^find -L /run/chrony.d -maxdepth 1 -type f -name '[*].sources' -print$",
            [0, "/run/chrony.d/link-local.sources\n"],
        ],
        ["dnf --quiet --releasever=latest .*--security check-update$", [0, ""]],
        # Locked to its release, as Amazon Linux 2023 is.
        ["dnf --quiet --security check-update$", [0, ""]],
        ["dnf .*updateinfo list --security --all$", [0, NOTICES]],
        ["needs-restarting -r", [0, "Reboot should not be necessary.\n"]],
    ]
    return host


def build_broken() -> Host:
    """Return an Ubuntu host that fails every control."""
    host = change_commands(
        build_ubuntu(),
        {
            "sshd -T": [0, BROKEN_SSHD],
            "^find -L /etc/ssh ": [0, "/etc/ssh/ssh_host_rsa_key\n"],
            "^find -L /etc/ssh/sshd_config .": [0, "/etc/ssh/sshd_config\n"],
            "^find -L /etc/sudoers .": [0, "/etc/sudoers.d/90-cloud\n"],
            "auditctl -l$": [0, "No rules\n"],
            "^find -L /etc/chrony/sources.d": [0, ""],
            "ss -ltn$": [0, f"{LISTENERS}LISTEN 0 5 *:23 *:*\n"],
            "find / -xdev": [0, "/srv/open\n"],
            "curl ": [0, "200"],
            "apt-cache policy": [0, build_policy("openssl", "1", ("2", JAMMY_SECURITY))],
        },
    )
    host["services"] = {}
    passwd = (
        f"{PASSWD}toor:x:0:0::/root:/bin/sh\npg:x:115:1::/:/bin/bash\nroot::2000:1::/:/bin/sh\n"
    )
    host["files"] |= {
        "/etc/passwd": build_file(passwd, "0666"),
        "/etc/group": build_file("", "0664"),
        "/etc/shadow": build_file(f"{SHADOW}first::19000::::::\n", "0644"),
        "/etc/gshadow": build_file("", "0640", owner="first"),
        "/etc/sudoers.d/90-cloud": build_file(
            "%wheel ALL=(ALL) NOPASSWD:ALL\nfirst ALL=NOPASSWD: ALL\n"
        ),
        "/etc/audit/auditd.conf": build_file("max_log_file_action = ignore\n"),
        "/run/reboot-required": {"mode": "0644"},
        **{f"/proc/sys/{name}": build_file("0\n") for name in KERNEL if "accept" not in name},
        **{f"/proc/sys/{name}": build_file("1\n") for name in KERNEL if "accept" in name},
    }
    return host


def build_unreadable(family: str) -> Host:
    """Return a host without tools, files or root rights."""
    return {"family": family, "name": family, "services": {}, "files": {}, "commands": []}


def change_commands(host: Host, results: Mapping[str, list[Any]]) -> Host:
    """Return the host with other results for the commands whose pattern starts like this."""
    copy = deepcopy(host)
    for command in copy["commands"]:
        for pattern, result in results.items():
            if command[0].startswith(pattern):
                command[1] = result
    return copy


def change_files(host: Host, contents: Mapping[str, str | None]) -> Host:
    """Return the host with other contents of these files. None removes the file."""
    copy = deepcopy(host)
    for path, content in contents.items():
        copy["files"].pop(path, None)
        if content is not None:
            copy["files"][path] = build_file(content)
    return copy


def add_commands(host: Host, results: Mapping[str, list[Any]]) -> Host:
    """Return the host with further commands. They come before those that it has."""
    copy = deepcopy(host)
    copy["commands"] = [[pattern, result] for pattern, result in results.items()] + copy["commands"]
    return copy
