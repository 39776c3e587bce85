# frozen_string_literal: true

root = command('id -u').stdout.strip == '0'
no_systemd =
  if !file('/run/systemd/system').exist?
    'systemd does not run here, as in a container'
  elsif !command('timeout 20 systemctl show --property=Version').exit_status.zero?
    # The resource would take no answer for a service that does not run.
    'systemd did not answer'
  end

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
  pairs = file('/etc/audit/auditd.conf').content.to_s.scrub.scan(/^\s*(\w+)\s*=\s*(\S+)/)
  values = pairs.map { |name, value| [name.downcase, value.downcase] }.to_h
  # Without write_logs there is nothing to keep.
  unwritten = values['write_logs'] == 'no' || values['log_format'] == 'nolog'
  action = unwritten ? 'nothing is written' : values['max_log_file_action'].to_s
  reason = values.empty? ? '/etc/audit/auditd.conf does not exist or could not be read' : nil
  impact 0.5
  title 'auditd must keep its logs'
  desc 'What auditd does when a log file is full, and how many it keeps.'
  desc 'rationale', 'Who can make auditd drop its logs can hide what came before.'
  desc 'check', 'max_log_file_action is keep_logs, or rotate with num_logs not smaller than the input min_audit_logs, and write_logs is not no.'
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
  # What does not exist cannot be changed.
  wanted = input('identity_files').select { |path| file(path).exist? }
  # The resource auditd wants /sbin/auditctl; some images have it elsewhere only.
  auditctl = %w[/sbin/auditctl /usr/sbin/auditctl].find { |path| file(path).exist? }
  listed = auditctl && command("timeout 20 #{auditctl} -l")
  status = auditctl && command("timeout 20 #{auditctl} -s")
  reason =
    if auditctl.nil?
      'auditctl is not installed'
    elsif !root
      'only root can look at the rules of the kernel'
    elsif !listed.exit_status.zero?
      'the kernel did not show its audit rules'
    elsif wanted.empty?
      'none of the identity files exists'
    end
  lines = listed ? listed.stdout.to_s.scrub.lines.map(&:strip) : []
  # Rules that are loaded do nothing while auditing is off, or while no process is audited.
  off = status && status.stdout.to_s.scrub.match?(/\benabled[ =]0\b/)
  off ||= lines.any? { |line| line.match?(/\A-a\s+(never,task|task,never)(\s+(-k\s+|-F\s+key=)\S+)*\z/) }
  # What a rule is about, whether it covers writing, and whether it has further conditions.
  rules = lines.map do |line|
    fields = line.scan(/-F\s+(\w+)(!=|>=|<=|&=|[=<>&])(\S+)/)
    values = fields.select { |_, sign, _| sign == '=' }.map { |name, _, value| [name, value] }.to_h
    words = line[/\s-p\s+(\w+)/, 1] || values['perm']
    calls = line.scan(/-S\s+(\S+)/).flatten.flat_map { |names| names.split(',') }
    further = fields.reject { |name, sign, _| %w[path dir perm].include?(name) && sign == '=' || %w[arch key].include?(name) }
    {
      place: (line[/\A-w\s+(\S+)/, 1] || values['path'] || values['dir']).to_s.chomp('/'),
      below: line.match?(/\A-w\s/) || values.key?('dir'),
      exit: line.match?(/\A-w\s|\A-a\s+(\w+,exit|exit,\w+)\b/),
      never: line.match?(/\A-a\s+(never,|\w+,never\b)/),
      writes: (words.nil? || words.include?('w')) && (calls.empty? || calls.grep(/\A(all|open|openat|openat2|creat|write)\z/).any?),
      bare: further.empty?,
      # auid>=1000 is usual: it leaves out what services do. One account or program only is too few.
      usual: further.all? { |name, sign, value| (name == 'auid' && sign != '=') || name.match?(/\Aa[0-3]\z/) || [name, value] == %w[success 1] }
    }
  end
  # The first rule that matches decides: a never rule before a watch undoes it.
  watched = lambda do |path|
    about = rules.select do |rule|
      all = rule[:place].empty? && rule[:never]
      rule[:exit] && rule[:writes] && (all || rule[:place] == path || (rule[:below] && path.start_with?("#{rule[:place]}/")))
    end
    first = about.find { |rule| rule[:never] ? rule[:bare] : rule[:usual] }
    !off && !first.nil? && !first[:never]
  end
  impact 0.5
  title 'Changes of identity files must be audited'
  desc 'The rules that are loaded, against those files of the input identity_files that exist.'
  desc 'rationale', 'A new account or a new rule of sudo is what an intruder leaves behind.'
  desc 'check', 'auditctl -l shows a rule for writing each of the files, or the directory that it is in, and no never rule before it. auditctl -s does not show enabled 0.'
  desc 'fix', 'Add rules such as "-w /etc/passwd -p wa -k identity" in /etc/audit/rules.d, remove "-a never,task", and run augenrules --load.'
  tag nist: ['AC-2 (4)', 'AU-2', 'AU-12']
  only_if(reason) { reason.nil? }
  describe 'identity files that are not audited' do
    subject { wanted.reject { |path| watched.call(path.chomp('/')) } }
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
  sources = []
  read = []
  unread = []
  # chrony reads what its configuration names: confdir *.conf, sourcedir *.sources, include. Often
  # the files there are symbolic links.
  list_chrony = nil
  read_chrony = lambda do |path|
    next if read.include?(path) || read.size >= 200

    read << path
    content = file(path).content
    unread << path if content.nil?
    content.to_s.scrub.lines.map(&:strip).grep_v(/\A[!;#%]/).each do |line|
      word, rest = line.split(/\s+/, 2)
      case word.to_s.downcase
      when 'server', 'pool', 'peer', 'refclock' then sources << line if rest
      when 'confdir' then rest.to_s.split.each { |place| list_chrony.call("#{place}/*.conf") }
      when 'sourcedir' then rest.to_s.split.each { |place| list_chrony.call("#{place}/*.sources") }
      when 'include' then list_chrony.call(rest.to_s)
      end
    end
  end
  list_chrony = lambda do |pattern|
    place = File.dirname(pattern)
    next unless file(place).exist? || place.match?(/[*?\[]/)

    # Nothing that a shell would take for more than a name goes into a command.
    safe = pattern.match?(%r{\A[\w./@+-]*/[\w.@+*?-]+\z})
    found = safe && command("find -L #{place} -maxdepth 1 -type f -name '#{File.basename(pattern)}' -print")
    unread << pattern unless found && found.exit_status.zero?
    found.stdout.to_s.scrub.split("\n").sort.each { |path| read_chrony.call(path) } if found
  end
  read_chrony.call(main) if main
  reason =
    if main.nil?
      'chrony is not installed'
    elsif sources.empty? && unread.any?
      'the configuration of chrony could not be read'
    end
  impact 0.3
  title 'chrony must use Amazon Time Sync or a configured source'
  desc 'Lines with server, pool, peer or refclock in the configuration of chrony, and in the files that it names.'
  desc 'rationale', 'A time service without a source keeps whatever time the node began with.'
  desc 'check', 'The configuration names at least one source, such as 169.254.169.123 or a pool.'
  desc 'fix', 'Add "server 169.254.169.123 prefer iburst minpoll 4 maxpoll 4" and restart chrony.'
  tag nist: ['AU-8', 'SC-45 (1)']
  only_if(reason) { reason.nil? }
  describe 'sources of time of chrony' do
    subject { sources }
    it { should_not be_empty }
  end
end
