# frozen_string_literal: true

# The lines of passwd or shadow, in fields. NIS lines begin with + or -, comments with #.
rows = ->(path, fields) { file(path).content.to_s.scrub.lines.grep_v(/\A\s*[-+#]/).map { |line| line.chomp.split(':', fields) } }
# name, password, UID, GID, comment, home, shell of each local account; nothing where unreadable.
# The C library accepts a line without its last fields.
accounts = rows.call('/etc/passwd', 7).select { |row| row.size >= 4 && row[2].match?(/\A\s*\d+\z/) }
secrets = rows.call('/etc/shadow', -1).select { |row| row.size >= 2 }
root = command('id -u').stdout.strip == '0'
no_accounts = accounts.empty? ? '/etc/passwd could not be read' : nil

control 'ec2-acct-01' do
  impact 1.0
  title 'Only root must have UID 0'
  desc 'Accounts of /etc/passwd with UID 0.'
  desc 'rationale', 'UID 0 is root under whatever name, and a second name is easily overlooked.'
  desc 'check', 'No line of /etc/passwd but that of root has 0 in its third field.'
  desc 'fix', 'Remove the account, or give it a UID of its own.'
  tag nist: ['AC-6 (1)', 'IA-4']
  only_if(no_accounts) { no_accounts.nil? }
  describe 'accounts other than root with UID 0' do
    subject { accounts.select { |row| row[2].to_i.zero? && row[0] != 'root' }.map(&:first) }
    it { should be_empty }
  end
end

control 'ec2-acct-02' do
  open = (secrets + accounts).select { |row| row[1].empty? }.map(&:first).uniq
  no_secrets = secrets.empty? && file('/etc/shadow').exist? ? '/etc/shadow could not be read (it needs root)' : nil
  # An empty field that was seen is one, whatever else could not be read.
  reason = no_accounts || (open.empty? ? no_secrets : nil)
  impact 1.0
  title 'No account must have an empty password'
  desc 'Empty password fields of /etc/shadow and /etc/passwd.'
  desc 'rationale', 'Anybody may become an account that asks for nothing.'
  desc 'check', 'No line of /etc/shadow or /etc/passwd has an empty second field, but for NIS lines.'
  desc 'fix', 'Lock the account (passwd -l) or set a password.'
  tag nist: ['IA-5 (1)']
  only_if(reason) { reason.nil? }
  describe 'accounts with an empty password' do
    subject { open }
    it { should be_empty }
  end
end

control 'ec2-acct-03' do
  allowed = input('login_system_accounts')
  first_user = file('/etc/login.defs').content.to_s.scrub[/^\s*UID_MIN\s+(\d+)/, 1] || '1000'
  closed = %w[/sbin/nologin /usr/sbin/nologin /bin/false /usr/bin/false /dev/null]
  impact 0.5
  title 'System accounts must not have a login shell'
  desc 'Accounts with a UID between 1 and UID_MIN, and the shell that they have.'
  desc 'rationale', 'A service that is broken into must not be a way to log in.'
  desc 'check', 'Every such account has nologin or false as its shell, but for those of the input login_system_accounts.'
  desc 'fix', 'usermod -s with the path of nologin, or add the account to the input.'
  tag nist: ['AC-6', 'CM-7']
  only_if(no_accounts) { no_accounts.nil? }
  describe 'system accounts with a login shell' do
    subject do
      accounts.select do |name, _, uid, _, _, _, shell|
        uid.to_i.between?(1, first_user.to_i - 1) && !closed.include?(shell) && !allowed.include?(name)
      end.map(&:first)
    end
    it { should be_empty }
  end
end

control 'ec2-acct-04' do
  impact 0.5
  title 'Account names and UIDs must be unique'
  desc 'Names and UIDs that occur more than once in /etc/passwd.'
  desc 'rationale', 'Two accounts of one UID are one account to the kernel, and to every log.'
  desc 'check', 'No name and no UID occurs twice in /etc/passwd.'
  desc 'fix', 'Give each account a name and UID of its own, and its files to that UID.'
  tag nist: ['AU-3', 'IA-4']
  only_if(no_accounts) { no_accounts.nil? }
  describe 'account names that occur more than once' do
    subject { accounts.group_by(&:first).select { |_, same| same.size > 1 }.keys }
    it { should be_empty }
  end
  describe 'UIDs that occur more than once' do
    subject { accounts.group_by { |row| row[2].to_i }.select { |_, same| same.size > 1 }.keys }
    it { should be_empty }
  end
end

no_sudo =
  if !file('/etc/sudoers').exist?
    'sudo is not installed'
  elsif !root
    'only root can look at the rules of sudo'
  end

# The files that sudo reads, the directories that it includes, and their lines in its order.
sudo_files = []
sudo_directories = []
sudo_lines = []
sudo_unread = []
# Nothing that a shell would take for more than a name goes into a command.
plain_path = %r{\A/[\w./@+-]+\z}

read_sudo = lambda do |path|
  next if sudo_files.include?(path) || !file(path).exist?

  content = file(path).content
  if content.nil? || !path.match?(plain_path) || sudo_files.size >= 200
    sudo_unread << path
    next
  end
  sudo_files << path
  # A comment ends with its line, which a backslash before it does not. #1000 is no comment but an
  # account, and #include no comment but a file.
  kept = content.scrub.lines.map do |line|
    next line if line.match?(/\A\s*#include(dir)?\s/)

    line.gsub(/"(?:\\.|[^"\\])*"|(?<!\\)#(?!-?\d).*/) { |part| part.start_with?('"') ? part : '' }
  end
  kept.join.gsub(/\\\r?\n/, ' ').lines.map(&:strip).reject(&:empty?).each do |line|
    directive, kind, name = line.match(/\A([#@]include(dir)?)\s+"?([^"\s]+)/).to_a.values_at(1, 2, 3)
    if directive.nil?
      sudo_lines << line
      next
    end
    name = name.gsub('%h') { command('hostname -s').stdout.to_s.strip }
    name = "#{File.dirname(path)}/#{name}" unless name.start_with?('/')
    if kind.nil?
      read_sudo.call(name)
    elsif file(name).exist?
      # sudo leaves out names with a dot or with ~ at the end, and reads no directory below.
      listed = name.match?(plain_path) && command("find -L #{name} -maxdepth 1 -type f ! -name '*.*' ! -name '*~' -print")
      sudo_unread << name unless listed && listed.exit_status.zero?
      sudo_directories << name if listed
      listed.stdout.to_s.scrub.split("\n").sort.each { |each| read_sudo.call(each) } if listed
    end
  end
end
read_sudo.call('/etc/sudoers') unless no_sudo

control 'ec2-sudo-01' do
  places = (sudo_files + sudo_directories).uniq
  found = places.any? && command("find -L #{places.join(' ')} -maxdepth 0 '(' ! -user root -o -perm /0022 ')' -print")
  writable = found ? found.stdout.to_s.scrub.split("\n") : []
  seen = found && found.exit_status.zero? && sudo_unread.empty?
  # What was found is so, even if not everything could be looked at.
  reason = no_sudo || (seen || writable.any? ? nil : 'the files of sudo could not be looked at')
  impact 0.5
  title 'Rules of sudo must be writable by root only'
  desc 'Owner and mode of /etc/sudoers and of the files and directories that it includes.'
  desc 'rationale', 'Who writes a rule of sudo is root.'
  desc 'check', 'Every file belongs to root, and neither group nor others may write it.'
  desc 'fix', 'chown root:root and chmod 0440 the files that find names, and 0750 the directories.'
  tag nist: ['AC-3', 'AC-6']
  only_if(reason) { reason.nil? }
  describe 'sudo rules that others than root may write' do
    subject { writable }
    it { should be_empty }
  end
end

control 'ec2-sudo-02' do
  allowed = input('passwordless_sudo_users')
  item = /!*(?:"[^"]*"|(?:\\.|[^\s,="\\])+)/
  list = /#{item}(?:\s*,\s*#{item})*/
  aliases = {}
  sudo_lines.grep(/\AUser_Alias\s/).each do |line|
    line.sub(/\AUser_Alias\s+/, '').split(/\s+:\s+|(?<=\w):(?=[A-Z]\w*\s*=)/).each do |each|
      name, members = each.split(/\s*=\s*/, 2)
      aliases[name.strip] = members.to_s
    end
  end
  # The accounts and groups of a list, less those that the input allows. A name after ! gets nothing.
  others = lambda do |text, depth = 0|
    text.gsub(/!\s+/, '!').scan(item).flat_map do |found|
      name = found.delete('!"').gsub(/\\(.)/, '\1')
      if found[/\A!*/].size.odd? || allowed.include?(name)
        []
      elsif aliases.key?(name) && depth < 10
        others.call(aliases[name], depth + 1)
      elsif name.match?(/\A#\d+\z/)
        named = accounts.select { |row| row[2].to_i == name.delete('#').to_i }.map(&:first)
        named.empty? ? [name] : named - allowed
      else
        [name]
      end
    end
  end
  rules = sudo_lines.grep_v(/\A(Defaults|\w+_Alias)\b/)
  free = rules.grep(/[=,)\s:]NOPASSWD\s*:/).flat_map { |line| others.call(line.gsub(/!\s+/, '!')[/\A#{list}/].to_s) }
  # Of Defaults for the same, the last one holds.
  defaults = sudo_lines.grep(/\ADefaults\b/).map { |line| line.gsub(/"[^"]*"/, '""') }
  switches = defaults.map do |line|
    about, bangs = line.match(/\ADefaults(:\s*#{list}|[@!>]\S+)?(?=\s)(?:.*?[\s,])?((?:!\s*)*)authenticate(?=[\s,]|\z)/).to_a.values_at(1, 2)
    bangs && [about.to_s, bangs.count('!').odd?]
  end
  unasked = switches.compact.to_h.select { |_, off| off }.keys
  free += unasked.flat_map { |about| about.start_with?(':') ? others.call(about.sub(/\A:\s*/, '')) : ['ALL'] }
  exempt = defaults.map { |line| line[/[\s,]exempt_group\s*=\s*([^\s,]+)/, 1] }.compact.last
  free += others.call("%#{exempt}") if exempt
  reason = no_sudo || (sudo_unread.empty? || free.any? ? nil : 'the rules of sudo could not be read')
  impact 0.3
  title 'Passwordless sudo must be limited to the account of the image'
  desc 'Whom rules with NOPASSWD are about, and Defaults with !authenticate or exempt_group.'
  desc 'rationale', 'Without a password a stolen session is root at once.'
  desc 'check', 'Rules with NOPASSWD, and Defaults with !authenticate, name the accounts of the input passwordless_sudo_users only.'
  desc 'fix', 'Remove NOPASSWD or !authenticate from the rule, or add the account to the input.'
  tag nist: ['AC-6 (2)', 'IA-11']
  only_if(reason) { reason.nil? }
  describe 'others with passwordless sudo' do
    subject { free.uniq }
    it { should be_empty }
  end
end
