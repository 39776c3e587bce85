"""Made-up hosts for the profile: hardened, broken and unreadable."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

Host = dict[str, Any]

SSHD = """permitrootlogin no
passwordauthentication no
permitemptypasswords no
maxauthtries 4
x11forwarding no
ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com
macs hmac-sha2-512-etm@openssh.com,umac-128-etm@openssh.com
"""
BROKEN_SSHD = """permitrootlogin yes
passwordauthentication yes
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


def build_file(content: str, mode: str = "0644", owner: str = "root") -> dict[str, str]:
    """Return a readable file."""
    return {"content": content, "mode": mode, "owner": owner}


def build_ubuntu() -> Host:
    """Return a hardened Ubuntu host."""
    return {
        "family": "debian",
        "services": {
            "auditd": ["enabled", "running"],
            "chrony": ["enabled", "running"],
            "snap.amazon-ssm-agent.amazon-ssm-agent": ["enabled", "running"],
        },
        "files": {
            "/run/systemd/system": {"mode": "0755"},
            "/usr/sbin/sshd": {"mode": "0755"},
            "/etc/ssh/sshd_config": build_file(""),
            "/etc/ssh/sshd_config.d": {"mode": "0755"},
            "/etc/passwd": build_file(PASSWD),
            "/etc/group": build_file("root:x:0:\n"),
            "/etc/shadow": build_file(SHADOW, "0640"),
            "/etc/gshadow": build_file("root:*::\n", "0640"),
            "/etc/login.defs": build_file("UID_MIN   1000\n"),
            "/etc/sudoers": build_file("", "0440"),
            "/etc/sudoers.d": {"mode": "0750"},
            "/etc/audit/auditd.conf": build_file("max_log_file_action = keep_logs\nnum_logs = 5\n"),
            "/sbin/auditctl": {"mode": "0755"},
            "/etc/chrony/chrony.conf": build_file(""),
            "/usr/share/update-notifier/notify-reboot-required": {"mode": "0755"},
            **{f"/proc/sys/{name}": build_file(f"{value}\n") for name, value in KERNEL.items()},
        },
        "commands": [
            ["^id -u$", [0, "0\n"]],
            ["sshd -T", [0, SSHD]],
            ["^find /etc/ssh ", [0, ""]],
            ["^find /etc/ssh/sshd_config /etc/ssh/sshd_config.d ", [0, ""]],
            ["^find /etc/sudoers /etc/sudoers.d ", [0, ""]],
            ["NOPASSWD", [0, "ubuntu ALL=(ALL) NOPASSWD:ALL\n"]],
            ["auditctl -l$", [0, AUDIT_RULES]],
            ["server.pool.peer", [0, "pool ntp.ubuntu.com iburst\n"]],
            ["ss -ltn$", [0, LISTENERS]],
            ["find / -xdev", [1, ""]],
            ["curl ", [0, "401"]],
            ["find /var/lib/apt/lists", [0, "/var/lib/apt/lists/x_Release\n"]],
            ["apt-get --simulate", [0, "Inst vim [2] (3 Ubuntu:22.04/jammy-updates [amd64])\n"]],
        ],
    }


def build_amazon() -> Host:
    """Return a hardened Amazon Linux 2023 host."""
    host = build_ubuntu()
    host["family"] = "redhat"
    host["services"] = {
        "auditd": ["enabled", "running"],
        "chronyd": ["enabled", "running"],
        "amazon-ssm-agent": ["enabled", "running"],
    }
    for gone in ("/etc/chrony/chrony.conf", "/usr/share/update-notifier/notify-reboot-required"):
        del host["files"][gone]
    host["files"] |= {
        "/etc/chrony.conf": build_file(""),
        "/usr/bin/dnf": {"mode": "0755"},
        "/usr/bin/needs-restarting": {"mode": "0755"},
        "/etc/shadow": build_file(SHADOW, "0000"),
        "/etc/audit/auditd.conf": build_file("max_log_file_action = ROTATE\nnum_logs = 8\n"),
    }
    host["commands"] += [
        ["dnf --quiet --security check-update", [0, ""]],
        ["needs-restarting -r", [0, ""]],
    ]
    return host


def build_broken() -> Host:
    """Return an Ubuntu host that fails every control."""
    host = change_commands(
        build_ubuntu(),
        {
            "sshd -T": [0, BROKEN_SSHD],
            "^find /etc/ssh ": [0, "/etc/ssh/ssh_host_rsa_key\n"],
            "^find /etc/ssh/sshd_config ": [0, "/etc/ssh/sshd_config\n"],
            "^find /etc/sudoers ": [0, "/etc/sudoers.d/x\n"],
            "NOPASSWD": [0, "%wheel ALL=(ALL) NOPASSWD:ALL\nfirst ALL=NOPASSWD: ALL\n"],
            "auditctl -l$": [0, "No rules\n"],
            "server.pool.peer": [1, ""],
            "ss -ltn$": [0, f"{LISTENERS}LISTEN 0 5 *:23 *:*\n"],
            "find / -xdev": [0, "/srv/open\n"],
            "curl ": [0, "200"],
            "apt-get --simulate": [0, "Inst openssl [1] (2 Ubuntu:22.04/jammy-security [amd64])\n"],
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
        "/etc/audit/auditd.conf": build_file("max_log_file_action = ignore\n"),
        "/run/reboot-required": {"mode": "0644"},
        **{f"/proc/sys/{name}": build_file("0\n") for name in KERNEL if "accept" not in name},
        **{f"/proc/sys/{name}": build_file("1\n") for name in KERNEL if "accept" in name},
    }
    return host


def build_unreadable(family: str) -> Host:
    """Return a host without tools, files or root rights."""
    return {"family": family, "services": {}, "files": {}, "commands": []}


def change_commands(host: Host, results: Mapping[str, list[Any]]) -> Host:
    """Return the host with other results for the commands whose pattern starts like this."""
    copy = deepcopy(host)
    for command in copy["commands"]:
        for pattern, result in results.items():
            if command[0].startswith(pattern):
                command[1] = result
    return copy
