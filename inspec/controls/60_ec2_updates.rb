# frozen_string_literal: true

no_systemd = file('/run/systemd/system').exist? ? nil : 'systemd does not run here, as in a container'

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

control 'ec2-update-01' do
  most = input('max_pending_security_updates')
  if os.debian?
    days = input('max_package_list_days')
    fresh = command("find /var/lib/apt/lists -maxdepth 1 -name '*Release' -mtime -#{days} -print")
    asked = command('LC_ALL=C timeout 120 apt-get --simulate -o Debug::NoLocking=true dist-upgrade')
    pending = asked.stdout.scrub.lines.grep(/\AInst .*(-security|Debian-Security|UbuntuESM)/)
    reason =
      if !fresh.exit_status.zero? || fresh.stdout.strip.empty?
        'the package lists of apt are missing or old (apt-get update)'
      elsif !asked.exit_status.zero?
        'apt-get could not work out the updates'
      end
  else
    tool = %w[/usr/bin/dnf /usr/bin/yum].find { |path| file(path).exist? }
    asked = tool && command("LC_ALL=C timeout 300 #{tool} --quiet --security check-update")
    # Name, version and repository; what comes after "Obsoleting Packages" is no update.
    listed = asked ? asked.stdout.to_s.split(/^Obsoleting Packages/).first.to_s : ''
    pending = listed.lines.grep(/\A\S+\.\S+\s+\S+\s+\S+\s*\z/)
    # 0: none, 100: some. Anything else, no network for example, says nothing about updates.
    reason =
      if tool.nil?
        'neither dnf nor yum is installed'
      elsif ![0, 100].include?(asked.exit_status)
        "#{File.basename(tool)} could not ask its repositories"
      end
  end
  impact 0.7
  title 'No security update must be pending'
  desc 'Security updates that the repositories of the node have and the node has not.'
  desc 'rationale', 'What is published with a fix is attacked within days.'
  desc 'check', 'dnf --security check-update, or apt-get --simulate dist-upgrade, lists no security update.'
  desc 'fix', 'dnf --security upgrade, or unattended-upgrade; Patch Manager does either for a fleet.'
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
    tool = %w[/usr/bin/needs-restarting /bin/needs-restarting].find { |path| file(path).exist? }
    asked = tool && command("LC_ALL=C timeout 120 #{tool} -r")
    waiting = asked && asked.exit_status == 1
    # 0: no, 1: yes
    reason =
      if tool.nil?
        'needs-restarting is not installed (dnf-utils or yum-utils)'
      elsif ![0, 1].include?(asked.exit_status)
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
