"""The states that the controls of audit and time were tried in."""

from tests.profile.hosts import (
    CHRONY,
    Host,
    add_commands,
    build_amazon,
    build_ubuntu,
    change_commands,
    change_files,
)
from tests.profile.state import FAILS, PASSES, SKIPS, State

UBUNTU = build_ubuntu()
AMAZON = build_amazon()
IDENTITY = ("/etc/group", "/etc/gshadow", "/etc/passwd", "/etc/shadow", "/etc/sudoers")
NO_SYSTEMD = change_files(UBUNTU, {"/run/systemd/system": None})
SILENT_SYSTEMD = change_commands(UBUNTU, {"^timeout 20 systemctl": [1, ""]}) | {"services": {}}
STOPPED: Host = UBUNTU | {"services": {}}


def set_auditd(text: str) -> Host:
    return change_files(UBUNTU, {"/etc/audit/auditd.conf": text})


def set_audit_rules(*lines: str) -> Host:
    return change_commands(UBUNTU, {"auditctl -l$": [0, "\n".join((*lines, ""))]})


def watch_each(rule: str) -> list[str]:
    """Return the rule for each identity file."""
    return [rule.format(path) for path in IDENTITY]


def set_chrony(text: str) -> Host:
    return change_files(UBUNTU, {"/etc/chrony/chrony.conf": text})


AUDIT = [
    State("ec2-audit-01", "auditd does not run", FAILS, STOPPED),
    State("ec2-audit-01", "no systemd", SKIPS, NO_SYSTEMD),
    State("ec2-audit-01", "systemd does not answer", SKIPS, SILENT_SYSTEMD),
    State(
        "ec2-audit-02",
        "keywords in capitals",
        PASSES,
        set_auditd("MAX_LOG_FILE_ACTION = Rotate\nNUM_LOGS = 9\n"),
    ),
    State(
        "ec2-audit-02",
        "too few logs",
        FAILS,
        set_auditd("max_log_file_action = rotate\nnum_logs = 2\n"),
    ),
    State("ec2-audit-02", "no action is named", FAILS, set_auditd("num_logs = 9\n")),
    State(
        "ec2-audit-02",
        "auditd writes no logs",
        FAILS,
        set_auditd("write_logs = no\nmax_log_file_action = keep_logs\n"),
    ),
    State(
        "ec2-audit-02",
        "auditd.conf cannot be read",
        SKIPS,
        change_files(UBUNTU, {"/etc/audit/auditd.conf": None}),
    ),
    State(
        "ec2-audit-03",
        "a watch of each file",
        PASSES,
        set_audit_rules(*watch_each("-w {} -p wa -k id")),
    ),
    State(
        "ec2-audit-03",
        "a rule with path for each file",
        PASSES,
        set_audit_rules(
            *watch_each("-a always,exit -S all -F path={} -F perm=wa -F auid>=1000 -F auid!=-1")
        ),
    ),
    State(
        "ec2-audit-03",
        "rules of the calls that open each file",
        PASSES,
        set_audit_rules(
            *watch_each("-a always,exit -F arch=b64 -S open,openat -F path={} -F a2&0x3 -F key=id")
        ),
    ),
    State(
        "ec2-audit-03",
        "a directory further up",
        PASSES,
        set_audit_rules("-a always,exit -F dir=/etc -F perm=wa"),
    ),
    State(
        "ec2-audit-03",
        "lone never rules",
        FAILS,
        set_audit_rules(*watch_each("-a never,exit -F path={} -F perm=wa")),
    ),
    State(
        "ec2-audit-03",
        "a never rule before the watch",
        FAILS,
        set_audit_rules("-a never,exit -F dir=/etc", "-w /etc/ -p wa"),
    ),
    State(
        "ec2-audit-03",
        "a never rule for everything before the watch",
        FAILS,
        set_audit_rules("-a never,exit -S all", "-w /etc/ -p wa"),
    ),
    State(
        "ec2-audit-03",
        "a never rule after the watch",
        PASSES,
        set_audit_rules("-w /etc/ -p wa", "-a never,exit -F dir=/etc"),
    ),
    State(
        "ec2-audit-03",
        "a never rule for one program before the watch",
        PASSES,
        set_audit_rules("-a never,exit -F dir=/etc -F exe=/usr/bin/backup", "-w /etc/ -p wa"),
    ),
    State(
        "ec2-audit-03",
        "no process is audited (-a never,task)",
        FAILS,
        set_audit_rules("-a never,task", "-w /etc/ -p wa"),
    ),
    State(
        "ec2-audit-03",
        "watches of reading only",
        FAILS,
        set_audit_rules(*watch_each("-w {} -p r -k id")),
    ),
    State(
        "ec2-audit-03",
        "a rule for one account only",
        FAILS,
        set_audit_rules("-a always,exit -F dir=/etc -F perm=wa -F auid=1000"),
    ),
    State(
        "ec2-audit-03",
        "a rule for failed attempts only",
        FAILS,
        set_audit_rules("-a always,exit -F dir=/etc -F perm=wa -F success=0"),
    ),
    State(
        "ec2-audit-03",
        "rules that are loaded while auditing is off",
        FAILS,
        change_commands(UBUNTU, {"auditctl -s$": [0, "enabled 0\nfailure 1\n"]}),
    ),
    State("ec2-audit-03", "no rules", FAILS, set_audit_rules("No rules")),
    State(
        "ec2-audit-03",
        "an identity file that does not exist is not watched",
        PASSES,
        change_files(set_audit_rules(*watch_each("-w {} -p wa")[:-1]), {"/etc/sudoers": None}),
    ),
    State(
        "ec2-audit-03",
        "auditctl is not installed",
        SKIPS,
        change_files(UBUNTU, {"/sbin/auditctl": None}),
    ),
    State(
        "ec2-audit-03",
        "auditctl fails",
        SKIPS,
        change_commands(UBUNTU, {"auditctl -l$": [255, ""]}),
    ),
    State(
        "ec2-audit-03",
        "a run without root",
        SKIPS,
        change_commands(UBUNTU, {"^id -u$": [0, "1000\n"]}),
    ),
]

TIME = [
    State(
        "ec2-time-01",
        "ntpd of Ubuntu, whose unit is ntp",
        PASSES,
        UBUNTU | {"services": {"ntp": ["running"]}},
    ),
    State("ec2-time-01", "no service runs", FAILS, STOPPED),
    State("ec2-time-01", "no systemd", SKIPS, NO_SYSTEMD),
    State("ec2-time-01", "systemd does not answer", SKIPS, SILENT_SYSTEMD),
    State("ec2-time-02", "symbolic links in /run/chrony.d", PASSES, AMAZON),
    State(
        "ec2-time-02", "a source in the main file", PASSES, set_chrony("Server 169.254.169.123\n")
    ),
    State(
        "ec2-time-02",
        "a source in a file of confdir",
        PASSES,
        add_commands(
            change_files(
                set_chrony("confdir /etc/chrony/conf.d /run/chrony.d\n"),
                {"/run/chrony.d": "", "/run/chrony.d/a.conf": "pool time.aws.com\n"},
            ),
            {"^find -L /run/chrony.d .*-name '[*].conf'": [0, "/run/chrony.d/a.conf\n"]},
        ),
    ),
    State(
        "ec2-time-02",
        "a source in a file that include names",
        PASSES,
        add_commands(
            change_files(
                set_chrony("include /etc/chrony.d/*.conf\n"),
                {"/etc/chrony.d": "", "/etc/chrony.d/a.conf": "refclock PHC /dev/ptp0\n"},
            ),
            {"^find -L /etc/chrony.d .*-name '[*].conf'": [0, "/etc/chrony.d/a.conf\n"]},
        ),
    ),
    State(
        "ec2-time-02",
        "sources in a directory that chrony is not told to read",
        FAILS,
        set_chrony("driftfile /var/lib/chrony/drift\n"),
    ),
    State(
        "ec2-time-02",
        "sources in comments only",
        FAILS,
        set_chrony("#server a\n! pool b\n; peer c\n"),
    ),
    State(
        "ec2-time-02",
        "a directory cannot be listed, and there is no source elsewhere",
        SKIPS,
        change_commands(UBUNTU, {"^find -L /etc/chrony": [1, ""]}),
    ),
    State(
        "ec2-time-02",
        "a directory cannot be listed, but the main file has a source",
        PASSES,
        change_commands(
            set_chrony(f"{CHRONY}server 169.254.169.123\n"), {"^find -L /etc/chrony": [1, ""]}
        ),
    ),
    State(
        "ec2-time-02",
        "chrony is not installed",
        SKIPS,
        change_files(UBUNTU, {"/etc/chrony/chrony.conf": None}),
    ),
]

STATES = [*AUDIT, *TIME]
