# frozen_string_literal: true

# name, password, UID, GID, comment, home, shell of each local account; nothing where unreadable.
passwd_rows = file('/etc/passwd').content.to_s.scrub.lines.map { |line| line.chomp.split(':', -1) }
accounts = passwd_rows.select { |row| row.size == 7 }
shadow_rows = file('/etc/shadow').content.to_s.scrub.lines.map { |line| line.chomp.split(':', -1) }
secrets = shadow_rows.select { |row| row.size >= 2 }
root = command('id -u').stdout.strip == '0'
no_accounts = accounts.empty? ? '/etc/passwd could not be read' : nil
no_secrets = no_accounts || (secrets.empty? ? '/etc/shadow could not be read (it needs root)' : nil)

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
    subject { accounts.select { |row| row[2].to_s.match?(/\A0+\z/) && row[0] != 'root' }.map(&:first) }
    it { should be_empty }
  end
end

control 'ec2-acct-02' do
  impact 1.0
  title 'No account must have an empty password'
  desc 'Empty password fields of /etc/shadow and /etc/passwd.'
  desc 'rationale', 'Anybody may become an account that asks for nothing.'
  desc 'check', 'No line of /etc/shadow or /etc/passwd has an empty second field.'
  desc 'fix', 'Lock the account (passwd -l) or set a password.'
  tag nist: ['IA-5 (1)']
  only_if(no_secrets) { no_secrets.nil? }
  describe 'accounts with an empty password' do
    subject { (secrets + accounts).select { |row| row[1].empty? }.map(&:first).uniq }
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
    subject { accounts.map(&:first).tally.select { |_, times| times > 1 }.keys }
    it { should be_empty }
  end
  describe 'UIDs that occur more than once' do
    subject { accounts.map { |row| row[2] }.tally.select { |_, times| times > 1 }.keys }
    it { should be_empty }
  end
end

no_sudo =
  if !file('/etc/sudoers').exist?
    'sudo is not installed'
  elsif !root
    'only root can look at the rules of sudo'
  end
sudo_places = %w[/etc/sudoers /etc/sudoers.d].select { |path| file(path).exist? }

control 'ec2-sudo-01' do
  found = command("find #{sudo_places.join(' ')} -type f '(' ! -user root -o -perm /0022 ')' -print")
  reason = no_sudo || (found.exit_status.zero? ? nil : 'the files of sudo could not be looked at')
  impact 0.5
  title 'Rules of sudo must be writable by root only'
  desc 'Owner and mode of /etc/sudoers and of the files in /etc/sudoers.d.'
  desc 'rationale', 'Who writes a rule of sudo is root.'
  desc 'check', 'Every file belongs to root, and neither group nor others may write it.'
  desc 'fix', 'chown root:root and chmod 0440 the files that find names.'
  tag nist: ['AC-3', 'AC-6']
  only_if(reason) { reason.nil? }
  describe 'sudo rules that others than root may write' do
    subject { found.stdout.split("\n") }
    it { should be_empty }
  end
end

control 'ec2-sudo-02' do
  allowed = input('passwordless_sudo_users')
  found = command("grep -rhsE '^[^#]*NOPASSWD' #{sudo_places.join(' ')}")
  # 1: no rule matches
  reason = no_sudo || ([0, 1].include?(found.exit_status) ? nil : 'the rules of sudo could not be read')
  impact 0.3
  title 'Passwordless sudo must be limited to the account of the image'
  desc 'Whom rules with NOPASSWD are about.'
  desc 'rationale', 'Without a password a stolen session is root at once.'
  desc 'check', 'Rules with NOPASSWD name the accounts of the input passwordless_sudo_users only.'
  desc 'fix', 'Remove NOPASSWD from the rule, or add the account to the input.'
  tag nist: ['AC-6 (2)', 'IA-11']
  only_if(reason) { reason.nil? }
  describe 'others with passwordless sudo' do
    subject { found.stdout.scrub.lines.map { |line| line.strip.split(/[\s=]/).first }.uniq - allowed }
    it { should be_empty }
  end
end
