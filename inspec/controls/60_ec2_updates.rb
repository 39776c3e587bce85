# frozen_string_literal: true

no_systemd =
  if !file('/run/systemd/system').exist?
    'systemd does not run here, as in a container'
  elsif !command('timeout 20 systemctl show --property=Version').exit_status.zero?
    # The resource would take no answer for a service that does not run.
    'systemd did not answer'
  end

control 'ec2-imds-01' do
  url = "#{input('imds_url')}/latest/meta-data/"
  asked = command("curl --silent --noproxy '*' --max-time 2 --output /dev/null --write-out '%{http_code}' #{url}")
  status = asked.stdout.strip
  # 401: a token is asked for. 403: the service is switched off. Anything else is not this service.
  known = %w[200 401 403].include?(status)
  impact 1.0
  title 'The instance metadata service must refuse requests without a token'
  desc 'What IMDS answers to a request of version 1.'
  desc 'rationale', 'A web application that can be made to fetch an address gives away the credentials of the node.'
  desc 'check', 'curl of the metadata service without a token is answered with 401.'
  desc 'fix', 'aws ec2 modify-instance-metadata-options --http-tokens required'
  tag nist: ['AC-3', 'SC-7']
  only_if('the instance metadata service cannot be reached') { known }
  describe 'status of a metadata request without a token' do
    subject { status }
    it { should_not cmp '200' }
  end
end

control 'ec2-agent-01' do
  # Ubuntu has it as a snap.
  names = %w[amazon-ssm-agent snap.amazon-ssm-agent.amazon-ssm-agent]
  running = no_systemd ? [] : names.select { |name| systemd_service(name).running? }
  impact 0.5
  title 'The SSM agent must run'
  desc 'The service of the SSM agent, package or snap.'
  desc 'rationale', 'A node without it is neither patched nor scanned, and nobody notices.'
  desc 'check', 'systemctl is-active amazon-ssm-agent (snap.amazon-ssm-agent.amazon-ssm-agent on Ubuntu).'
  desc 'fix', 'Install the agent and systemctl enable --now its service.'
  tag nist: ['CM-8', 'SI-2']
  only_if(no_systemd) { no_systemd.nil? }
  describe 'services of the SSM agent that run' do
    subject { running }
    it { should_not be_empty }
  end
end

# The pending security updates by the lists of apt, and why there may be more of them.
# apt-get would name only what it would install now: nothing that is on hold or pinned, and nothing
# of which another suite has a version that is newer still. So each installed package is compared
# with what the security suites have.
ask_apt = lambda do |days|
  format = '$(ORIGIN)|$(LABEL)|$(SUITE)|$(CODENAME)|$(COMPONENT)|$(FILENAME)|$(DESCRIPTION)'
  targets = command("LC_ALL=C timeout 60 apt-get indextargets --format '#{format}' 'Created-By: Packages'")
  lists = targets.stdout.to_s.scrub.lines.map { |line| line.chomp.split('|', 7) }.select { |list| list.size == 7 }
  security = lists.select do |origin, label, suite, codename|
    label == 'Debian-Security' || origin.start_with?('UbuntuESM') || [suite, codename].any? { |name| name.end_with?('-security') }
  end
  release = file('/etc/os-release').content.to_s.scrub[/^VERSION_CODENAME="?(\w+)/, 1]
  # Those of the release that runs, and that publish all of its security updates.
  main = security.select do |origin, _, suite, codename|
    origin != 'UbuntuESMApps' && (release.nil? || [suite, codename].any? { |name| name.split(%r{[-/]}).first == release })
  end
  next [[], 'apt has no list of a security suite for this release (sources, apt-get update)'] if main.empty?

  # The time of a list is that of the server. The other suites may stand still for months.
  prefixes = main.map { |_, _, _, _, component, path| path.sub(/_#{Regexp.escape(component.tr('/', '_'))}_binary-.*/, '') }
  names = prefixes.uniq.map { |path| File.basename(path) }.grep(/\A[\w.:+%~@,-]+\z/)
  wanted = names.flat_map { |name| ["-name '#{name}_InRelease'", "-name '#{name}_Release'"] }.join(' -o ')
  fresh = command("find /var/lib/apt/lists -maxdepth 1 '(' #{wanted} ')' -mtime -#{days} -print")
  old = !fresh.exit_status.zero? || fresh.stdout.strip.empty?

  sources = security.map { |list| [list[6], list[0]] }.to_h
  asked = command("LC_ALL=C timeout 120 apt-cache policy $(dpkg-query --show --showformat '${binary:Package} ')")
  packages = asked.stdout.to_s.scrub.split(/^(?=\S)/).select { |text| text.match?(/^ \*\*\* /) }
  # Versions come newest first, and *** marks the installed one.
  pending = packages.select do |text|
    text.split(/^ \*\*\* /).first.scan(/^\s+(-?\d+) (\S.*)$/).any? do |priority, source|
      # Without a subscription apt shows what ESM has, but may not fetch it.
      sources.key?(source) && !(sources[source].start_with?('UbuntuESM') && priority.start_with?('-'))
    end
  end
  doubt =
    if !asked.exit_status.zero? || packages.empty?
      'apt-cache could not compare the installed packages'
    elsif old
      'the lists of the security suite are missing or old (apt-get update)'
    end
  [pending, doubt]
end

# The same by dnf or yum.
ask_dnf = lambda do |tool|
  name = File.basename(tool)
  # Amazon Linux 2023 asks for the release that it is locked to, as others may be told to do: what
  # came later is not in those repositories.
  lock = %w[/etc/dnf/vars/releasever /etc/yum/vars/releasever].map { |path| file(path).content.to_s.scrub[/\A\s*(\d+)\./, 1] }.compact.first
  newest = os.name == 'amazon' && name == 'dnf' ? 'latest' : lock
  release = newest ? " --releasever=#{newest}" : ''
  # A repository that cannot be reached must be an error, and a package that is on hold counts.
  strict = "'--setopt=*.skip_if_unavailable=0' --setopt=skip_if_unavailable=0 --disableexcludes=all --disableplugin=versionlock"
  # Lists from the cache may be of any age.
  anew = name == 'dnf' ? '--refresh' : "'--setopt=*.metadata_expire=1'"
  asked = command("LC_ALL=C timeout 300 #{tool} --quiet#{release} #{strict} #{anew} --security check-update")
  # 0: none, 100: some. Anything else, no network for example, says nothing about updates.
  known = [0, 100].include?(asked.exit_status)
  # Then what the repositories show that can be reached is pending all the same. 124: the time was up.
  asked = command("LC_ALL=C timeout 300 #{tool} --quiet --security check-update") unless known || [124, 127].include?(asked.exit_status)

  # Name, version and repository, the latter perhaps on the next line; what comes after
  # "Obsoleting Packages" is no update.
  text = asked.exit_status == 100 ? asked.stdout.to_s.scrub.split(/^Obsoleting Packages/).first : ''
  pending = text.to_s.gsub(/\n[ \t]+(?=\S)/, ' ').lines.grep(/\A\S+\.\S+\s+\S+\s+\S+\s*\z/)
  next [pending, "#{name} could not ask its repositories"] unless known
  # At least one there is, even if the list cannot be read.
  next [['unknown'], "#{name} listed its updates in an unknown form"] if pending.empty? && text.to_s.match?(/\S/)
  next [pending, nil] if pending.any?

  # Without security notices, as on CentOS Stream, nothing is ever a security update.
  all = name == 'dnf' ? 'list --security --all' : 'list security all'
  notices = command("LC_ALL=C timeout 120 #{tool} --quiet#{release} updateinfo #{all}")
  silent = notices.exit_status.zero? && notices.stdout.to_s.strip.empty?
  [pending, silent ? 'the repositories publish no security notices' : nil]
end

control 'ec2-update-01' do
  most = input('max_pending_security_updates')
  days = input('max_package_list_days')
  tool = %w[/usr/bin/dnf /usr/bin/yum].find { |path| file(path).exist? }
  pending, doubt =
    if os.debian?
      ask_apt.call(days)
    elsif tool
      ask_dnf.call(tool)
    else
      [[], 'neither dnf nor yum is installed']
    end
  # Too many are too many, whatever else there may be.
  reason = pending.size > most ? nil : doubt
  impact 0.7
  title 'No security update must be pending'
  desc 'Security updates that the repositories of the node have and the node has not.'
  desc 'rationale', 'What is published with a fix is attacked within days.'
  desc 'check', 'dnf --security check-update (Amazon Linux 2023: with --releasever=latest) lists nothing, or apt-cache policy shows no version of a security suite that is newer than the installed one.'
  desc 'fix', 'dnf --security upgrade (Amazon Linux 2023: dnf --releasever=latest --security upgrade), or unattended-upgrade after apt-mark unhold; Patch Manager does either for a fleet.'
  tag nist: ['SI-2']
  only_if(reason) { reason.nil? }
  describe 'number of pending security updates' do
    subject { pending.size }
    it { should cmp <= most }
  end
end

control 'ec2-update-02' do
  if os.debian?
    notice = '/usr/share/update-notifier/notify-reboot-required'
    marks = %w[/run/reboot-required /var/run/reboot-required].select { |path| file(path).exist? }
    waiting = marks.any?
    reason = waiting || file(notice).exist? ? nil : 'nothing on this system notes that a reboot is due'
  else
    # The plugin of dnf is often there without the program.
    tools = { '/usr/bin/needs-restarting' => '', '/bin/needs-restarting' => '', '/usr/bin/dnf' => ' needs-restarting' }
    tool, plugin = tools.find { |path, _| file(path).exist? }
    asked = tool && command("LC_ALL=C timeout 120 #{tool}#{plugin} -r")
    # 0: no, 1: yes, but 1 is also what it exits with where it cannot start.
    waiting = asked && asked.exit_status == 1 && asked.stdout.to_s.scrub.match?(/\breboot\b/i)
    reason =
      if tool.nil?
        'needs-restarting is not installed (dnf-utils or yum-utils)'
      elsif !asked.exit_status.zero? && !waiting
        'needs-restarting could not tell'
      end
  end
  impact 0.3
  title 'No reboot must be pending'
  desc 'Whether updates wait for a reboot to take effect.'
  desc 'rationale', 'A fixed kernel protects from the next start on.'
  desc 'check', 'needs-restarting -r exits with 0, or /run/reboot-required does not exist.'
  desc 'fix', 'Reboot the node in its maintenance window.'
  tag nist: ['SI-2']
  only_if(reason) { reason.nil? }
  describe 'a reboot that is due' do
    subject { waiting ? 'yes' : 'no' }
    it { should cmp 'no' }
  end
end
