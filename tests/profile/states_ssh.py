"""The states that the controls of SSH were tried in."""

from tests.profile.hosts import (
    SSHD,
    Host,
    add_commands,
    build_ubuntu,
    change_commands,
    change_files,
)
from tests.profile.state import FAILS, PASSES, PASSES_IN_PART, SKIPS, State

UBUNTU = build_ubuntu()
LISTENER = "/usr/sbin/sshd -D -oCiphers=aes256-ctr,aes256-cbc -oMACs=hmac-sha2-256\n"
# sshd itself puts options of its command line before its files.
WITH_OPTIONS = "sshd -T -o Ciphers=aes256-ctr,aes256-cbc -o MACs=hmac-sha2-256 "
KEYS = "^find -L /etc/ssh "
CONFIG = "^find -L /etc/ssh/sshd_config ."


def set_sshd(*changes: tuple[str, str]) -> Host:
    """Return a host whose sshd -T prints other text."""
    text = SSHD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return change_commands(UBUNTU, {"sshd -T": [0, text]})


def set_match(*lines: str) -> Host:
    """Return a host with a Match block in a file that sshd_config includes."""
    text = "\n".join(("Port 22", "Match User sftp", *lines, ""))
    return change_files(UBUNTU, {"/etc/ssh/sshd_config.d/50-cloud.conf": text})


def without_root(host: Host) -> Host:
    return change_commands(host, {"^id -u$": [0, "1000\n"]})


KEYBOARD = ("kbdinteractiveauthentication no", "kbdinteractiveauthentication yes")
PASSWORD = ("passwordauthentication no", "passwordauthentication yes")
NO_SSHD = change_files(UBUNTU, {"/usr/sbin/sshd": None})
REFUSED = change_commands(UBUNTU, {"sshd -T": [255, ""]})

STATES = [
    State("ec2-ssh-01", "sshd is not installed", SKIPS, NO_SSHD),
    State("ec2-ssh-01", "sshd -T fails", SKIPS, REFUSED),
    State(
        "ec2-ssh-01", "sshd -T prints nothing", SKIPS, change_commands(UBUNTU, {"sshd -T": [0, ""]})
    ),
    State(
        "ec2-ssh-01",
        "root may log in with a key",
        FAILS,
        set_sshd(("permitrootlogin no", "permitrootlogin prohibit-password")),
    ),
    State(
        "ec2-ssh-01",
        "root may log in from the addresses of a Match block",
        FAILS,
        set_match("PermitRootLogin=yes"),
    ),
    State("ec2-ssh-02", "passwords off, keyboard-interactive off", PASSES, set_sshd()),
    State("ec2-ssh-02", "keyboard-interactive with PAM", FAILS, set_sshd(KEYBOARD)),
    State(
        "ec2-ssh-02",
        "keyboard-interactive with PAM, by its name before OpenSSH 8.7",
        FAILS,
        set_sshd((KEYBOARD[0], f"{KEYBOARD[0]}\nchallengeresponseauthentication yes")),
    ),
    State(
        "ec2-ssh-02",
        "keyboard-interactive without PAM",
        PASSES,
        set_sshd(KEYBOARD, ("usepam yes", "usepam no")),
    ),
    State(
        "ec2-ssh-02",
        "a second factor after the key",
        PASSES,
        set_sshd(KEYBOARD, ("methods any", "methods publickey,keyboard-interactive:pam")),
    ),
    State(
        "ec2-ssh-02",
        "a second factor after the key, or a password alone",
        FAILS,
        set_sshd(
            KEYBOARD, PASSWORD, ("methods any", "methods publickey,keyboard-interactive password")
        ),
    ),
    State(
        "ec2-ssh-02",
        "a Match block turns passwords on",
        FAILS,
        set_match("PasswordAuthentication yes"),
    ),
    State(
        "ec2-ssh-02",
        "a Match block turns keyboard-interactive on",
        FAILS,
        set_match("ChallengeResponseAuthentication yes"),
    ),
    State(
        "ec2-ssh-02",
        "a Match block turns passwords on, and asks for a key too",
        PASSES,
        set_match("PasswordAuthentication yes", "AuthenticationMethods publickey,password"),
    ),
    State(
        "ec2-ssh-02",
        "sshd -T does not print keyboard-interactive",
        PASSES_IN_PART,
        set_sshd((f"{KEYBOARD[0]}\n", "")),
    ),
    State("ec2-ssh-02", "sshd -T fails", SKIPS, REFUSED),
    State(
        "ec2-ssh-03",
        "a Match block allows empty passwords",
        FAILS,
        set_match('PermitEmptyPasswords "yes"'),
    ),
    State("ec2-ssh-03", "sshd -T fails", SKIPS, REFUSED),
    State("ec2-ssh-04", "a Match block allows more attempts", FAILS, set_match("MaxAuthTries 20")),
    State("ec2-ssh-04", "a Match block allows fewer attempts", PASSES, set_match("MaxAuthTries 2")),
    State("ec2-ssh-04", "sshd -T fails", SKIPS, REFUSED),
    State("ec2-ssh-05", "a Match block turns X11 on", FAILS, set_match("X11Forwarding yes")),
    State("ec2-ssh-05", "a Match block turns X11 off", PASSES, set_match("X11Forwarding no")),
    State("ec2-ssh-05", "sshd -T fails", SKIPS, REFUSED),
    State(
        "ec2-ssh-06",
        "the sshd that runs was started with CBC ciphers",
        FAILS,
        add_commands(
            change_commands(UBUNTU, {"^timeout 20 ps ": [0, LISTENER]}),
            {WITH_OPTIONS: [0, SSHD.replace("ciphers ", "ciphers aes256-cbc,")]},
        ),
    ),
    State(
        "ec2-ssh-06",
        "only the ciphers are shown, and they are good",
        PASSES_IN_PART,
        change_commands(UBUNTU, {"sshd -T": [0, "ciphers aes256-ctr\n"]}),
    ),
    State(
        "ec2-ssh-06",
        "only the MACs are shown, and one is broken",
        FAILS,
        change_commands(UBUNTU, {"sshd -T": [0, "macs hmac-md5\n"]}),
    ),
    State("ec2-ssh-06", "sshd -T fails", SKIPS, REFUSED),
    State(
        "ec2-ssh-07",
        "a host key that HostKey names elsewhere is open",
        FAILS,
        add_commands(
            change_files(
                set_sshd(("/etc/ssh/ssh_host_ed25519_key", "/etc/keys/ed25519")),
                {"/etc/keys/ed25519": "x"},
            ),
            {"^find -L /etc/ssh /etc/keys/ed25519 .*-path '/etc/keys/": [0, "/etc/keys/ed25519\n"]},
        ),
    ),
    State(
        "ec2-ssh-07",
        "a file that Include names elsewhere is open",
        FAILS,
        add_commands(
            change_files(
                UBUNTU,
                {
                    "/etc/ssh/sshd_config": "Include extra/*\n",
                    "/etc/ssh/extra": "",
                    "/etc/ssh/extra/a": "Port 22\n",
                },
            ),
            {
                "^find -L /etc/ssh/extra -maxdepth 1 -type f -name '[*]' ": [
                    0,
                    "/etc/ssh/extra/a\n",
                ],
                "^find -L .* /etc/ssh/extra/a .*-perm /0022": [0, "/etc/ssh/extra/a\n"],
            },
        ),
    ),
    State(
        "ec2-ssh-07",
        "the directory of the configuration is open",
        FAILS,
        change_commands(UBUNTU, {CONFIG: [0, "/etc/ssh/sshd_config.d\n"]}),
    ),
    State(
        "ec2-ssh-07",
        "find fails on the host keys only",
        PASSES_IN_PART,
        change_commands(UBUNTU, {KEYS: [1, ""]}),
    ),
    State(
        "ec2-ssh-07",
        "find fails after it named an open file",
        FAILS,
        change_commands(UBUNTU, {CONFIG: [1, "/etc/ssh/sshd_config\n"]}),
    ),
    State(
        "ec2-ssh-07",
        "find fails altogether",
        SKIPS,
        change_commands(UBUNTU, {KEYS: [1, ""], CONFIG: [1, ""]}),
    ),
    State("ec2-ssh-07", "a run without root", SKIPS, without_root(UBUNTU)),
]
