# frozen_string_literal: true

root = command('id -u').stdout.strip == '0'
no_systemd = file('/run/systemd/system').exist? ? nil : 'systemd does not run here, as in a container'

control 'ec2-audit-01' do
  impact 0.7
  title 'auditd must be enabled and running'
  desc 'The state of the service auditd.'
  desc 'rationale', 'Without it nobody can say afterwards who did what on the node.'
  desc 'check', 'systemctl is-enabled auditd and systemctl is-active auditd.'
  desc 'fix', 'Install audit (auditd on Debian and Ubuntu), then systemctl enable --now auditd.'
  tag nist: ['AU-3', 'AU-12']
  only_if(no_systemd) { no_systemd.nil? }
  describe systemd_service('auditd') do
    it { should be_enabled }
    it { should be_running }
  end
end

control 'ec2-audit-02' do
  least = input('min_audit_logs')
  values = file('/etc/audit/auditd.conf').content.to_s.scrub.scan(/^\s*(\w+)\s*=\s*(\S+)/).to_h
  action = values['max_log_file_action'].to_s.downcase
  reason = values.empty? ? '/etc/audit/auditd.conf does not exist or could not be read' : nil
  impact 0.5
  title 'auditd must keep its logs'
  desc 'What auditd does when a log file is full, and how many it keeps.'
  desc 'rationale', 'Who can make auditd drop its logs can hide what came before.'
  desc 'check', 'max_log_file_action is keep_logs, or rotate with num_logs not smaller than the input min_audit_logs.'
  desc 'fix', 'Set max_log_file_action and num_logs in /etc/audit/auditd.conf and restart auditd.'
  tag nist: ['AU-4', 'AU-11']
  only_if(reason) { reason.nil? }
  describe 'what auditd does with a full log file' do
    subject { action }
    it { should match(/\A(keep_logs|rotate)\z/) }
  end
  if action == 'rotate'
    describe 'the number of log files that auditd keeps' do
      subject { values['num_logs'].to_i }
      it { should cmp >= least }
    end
  end
end

control 'ec2-audit-03' do
  wanted = input('identity_files')
  # The resource auditd wants /sbin/auditctl; some images have it elsewhere only.
  auditctl = %w[/sbin/auditctl /usr/sbin/auditctl].find { |path| file(path).exist? }
  rules = auditctl && command("timeout 20 #{auditctl} -l")
  reason =
    if auditctl.nil?
      'auditctl is not installed'
    elsif !root
      'only root can look at the rules of the kernel'
    elsif !rules.exit_status.zero?
      'the kernel did not show its audit rules'
    end
  watched = lambda do |path|
    places = Regexp.union(path, "#{File.dirname(path)}/", File.dirname(path))
    rules.stdout.scrub.match?(%r{(?:-w |path=|dir=)#{places}(?=\s|$)})
  end
  impact 0.5
  title 'Changes of identity files must be audited'
  desc 'The rules that are loaded, against the input identity_files.'
  desc 'rationale', 'A new account or a new rule of sudo is what an intruder leaves behind.'
  desc 'check', 'auditctl -l shows a rule for each of the files, or for the directory that it is in.'
  desc 'fix', 'Add rules such as "-w /etc/passwd -p wa -k identity" in /etc/audit/rules.d and run augenrules --load.'
  tag nist: ['AC-2 (4)', 'AU-2', 'AU-12']
  only_if(reason) { reason.nil? }
  describe 'identity files that are not audited' do
    subject { wanted.reject { |path| watched.call(path) } }
    it { should be_empty }
  end
end

control 'ec2-time-01' do
  running = no_systemd ? [] : input('time_services').select { |name| systemd_service(name).running? }
  impact 0.5
  title 'A time service must run'
  desc 'The services of the input time_services, of which one is enough.'
  desc 'rationale', 'Logs that disagree about the time prove nothing, and certificates fail.'
  desc 'check', 'systemctl is-active of one of the services.'
  desc 'fix', 'systemctl enable --now chronyd (chrony on Debian and Ubuntu).'
  tag nist: ['AU-8', 'SC-45']
  only_if(no_systemd) { no_systemd.nil? }
  describe 'time services that run' do
    subject { running }
    it { should_not be_empty }
  end
end

control 'ec2-time-02' do
  main = %w[/etc/chrony.conf /etc/chrony/chrony.conf].find { |path| file(path).exist? }
  places = %w[/etc/chrony.d /etc/chrony/conf.d /etc/chrony/sources.d /run/chrony.d /run/chrony-dhcp]
  held = [main, *places].compact.select { |path| file(path).exist? }
  found = main && command("grep -rhsE '^[[:space:]]*(server|pool|peer|refclock)[[:space:]]' #{held.join(' ')}")
  # 1: no line matches
  reason =
    if main.nil?
      'chrony is not installed'
    elsif ![0, 1].include?(found.exit_status)
      'the configuration of chrony could not be read'
    end
  impact 0.3
  title 'chrony must use Amazon Time Sync or a configured source'
  desc 'Lines with server, pool, peer or refclock in the configuration of chrony.'
  desc 'rationale', 'A time service without a source keeps whatever time the node began with.'
  desc 'check', 'The configuration names at least one source, such as 169.254.169.123 or a pool.'
  desc 'fix', 'Add "server 169.254.169.123 prefer iburst minpoll 4 maxpoll 4" and restart chrony.'
  tag nist: ['AU-8', 'SC-45 (1)']
  only_if(reason) { reason.nil? }
  describe 'sources of time of chrony' do
    subject { found.stdout.scrub.lines.map(&:strip) }
    it { should_not be_empty }
  end
end
