# frozen_string_literal: true

# What sshd itself says it would do for a login of root, drop-in files and Match blocks included.
sshd = %w[/usr/sbin/sshd /usr/local/sbin/sshd /sbin/sshd].find { |path| file(path).exist? }
shown = sshd && command("timeout 20 #{sshd} -T -C user=root,host=localhost,addr=127.0.0.1")
settings =
  if shown && shown.exit_status.zero?
    shown.stdout.scrub.lines.map { |line| line.strip.split(/\s+/, 2) }.select { |pair| pair.size == 2 }.to_h
  else
    {}
  end
root = command('id -u').stdout.strip == '0'

# Why a setting cannot be judged; nil where it can. No output is not a pass.
unseen = lambda do |name|
  if sshd.nil?
    'the OpenSSH server is not installed'
  elsif settings.empty?
    'sshd -T did not show the settings of sshd (it needs root, and a configuration without faults)'
  elsif !settings.key?(name)
    "sshd -T did not show #{name}"
  end
end

control 'ec2-ssh-01' do
  impact 1.0
  title 'SSH must not allow root to log in'
  desc 'The effective value of PermitRootLogin, as sshd itself reports it.'
  desc 'rationale', 'A login as root cannot be told apart from another one, and needs only one secret.'
  desc 'check', 'sshd -T prints "permitrootlogin no".'
  desc 'fix', 'Set PermitRootLogin no in /etc/ssh/sshd_config, or in a file of sshd_config.d that comes first, and reload sshd.'
  tag nist: ['AC-6 (2)', 'AC-17', 'IA-2 (5)']
  only_if(unseen.call('permitrootlogin')) { unseen.call('permitrootlogin').nil? }
  describe 'sshd setting PermitRootLogin' do
    subject { settings['permitrootlogin'] }
    it { should cmp 'no' }
  end
end

control 'ec2-ssh-02' do
  impact 0.7
  title 'SSH must not allow logins by password'
  desc 'The effective values of PasswordAuthentication and of keyboard-interactive logins.'
  desc 'rationale', 'Passwords are guessed and reused; keys and Session Manager are not.'
  desc 'check', 'sshd -T prints "passwordauthentication no".'
  desc 'fix', 'Set PasswordAuthentication no and reload sshd. Cloud images often set it in sshd_config.d.'
  tag nist: ['AC-17', 'IA-5 (1)']
  only_if(unseen.call('passwordauthentication')) { unseen.call('passwordauthentication').nil? }
  describe 'sshd setting PasswordAuthentication' do
    subject { settings['passwordauthentication'] }
    it { should cmp 'no' }
  end
end

control 'ec2-ssh-03' do
  impact 1.0
  title 'SSH must not allow empty passwords'
  desc 'The effective value of PermitEmptyPasswords.'
  desc 'rationale', 'An account without a password would be open to everybody who reaches the port.'
  desc 'check', 'sshd -T prints "permitemptypasswords no".'
  desc 'fix', 'Set PermitEmptyPasswords no and reload sshd.'
  tag nist: ['AC-17', 'IA-5 (1)']
  only_if(unseen.call('permitemptypasswords')) { unseen.call('permitemptypasswords').nil? }
  describe 'sshd setting PermitEmptyPasswords' do
    subject { settings['permitemptypasswords'] }
    it { should cmp 'no' }
  end
end

control 'ec2-ssh-04' do
  most = input('max_auth_tries')
  impact 0.5
  title 'SSH must limit the attempts to log in of a connection'
  desc 'The effective value of MaxAuthTries against the input max_auth_tries.'
  desc 'rationale', 'Each further attempt of a connection makes guessing cheaper and less visible.'
  desc 'check', 'sshd -T prints maxauthtries with a number that is not larger than the input.'
  desc 'fix', 'Set MaxAuthTries to the value of the input or a smaller one and reload sshd.'
  tag nist: ['AC-7']
  only_if(unseen.call('maxauthtries')) { unseen.call('maxauthtries').nil? }
  describe 'sshd setting MaxAuthTries' do
    subject { settings['maxauthtries'].to_i }
    it { should cmp <= most }
  end
end

control 'ec2-ssh-05' do
  impact 0.3
  title 'SSH must not forward X11'
  desc 'The effective value of X11Forwarding.'
  desc 'rationale', 'A forwarded display gives the node a way back into the machine of whoever logs in.'
  desc 'check', 'sshd -T prints "x11forwarding no".'
  desc 'fix', 'Set X11Forwarding no and reload sshd.'
  tag nist: ['CM-7']
  only_if(unseen.call('x11forwarding')) { unseen.call('x11forwarding').nil? }
  describe 'sshd setting X11Forwarding' do
    subject { settings['x11forwarding'] }
    it { should cmp 'no' }
  end
end

control 'ec2-ssh-06' do
  reason = unseen.call('ciphers') || unseen.call('macs')
  impact 0.7
  title 'SSH must not offer broken ciphers or MACs'
  desc 'The effective lists of ciphers and of message authentication codes.'
  desc 'rationale', 'CBC modes, RC4, 3DES, MD5, SHA-1 and 64-bit codes have practical or near-practical attacks.'
  desc 'check', 'sshd -T prints neither cbc, arcfour or 3des in ciphers, nor md5, sha1, ripemd or umac-64 in macs.'
  desc 'fix', 'Set Ciphers and MACs to lists without them, or choose a stricter crypto policy, and reload sshd.'
  tag nist: ['AC-17 (2)', 'SC-13']
  only_if(reason) { reason.nil? }
  describe 'broken ciphers that sshd offers' do
    subject { settings['ciphers'].to_s.split(',').grep(/cbc|arcfour|3des|blowfish|cast128/) }
    it { should be_empty }
  end
  describe 'broken MACs that sshd offers' do
    subject { settings['macs'].to_s.split(',').grep(/md5|sha1|ripemd|umac-64/) }
    it { should be_empty }
  end
end

control 'ec2-ssh-07' do
  places = %w[/etc/ssh/sshd_config /etc/ssh/sshd_config.d].select { |path| file(path).exist? }
  # A group may read host keys: on the Red Hat family that is ssh_keys.
  keys = command("find /etc/ssh -maxdepth 1 -type f -name 'ssh_host_*_key' '(' ! -user root -o -perm /0037 ')' -print")
  config = command("find #{places.join(' ')} -type f '(' ! -user root -o -perm /0022 ')' -print")
  reason =
    if sshd.nil?
      'the OpenSSH server is not installed'
    elsif !root
      'only root can look at host keys'
    elsif places.empty? || !keys.exit_status.zero? || !config.exit_status.zero?
      'the files below /etc/ssh could not be looked at'
    end
  impact 0.7
  title 'SSH host keys and configuration must be private to root'
  desc 'Owner and mode of the host keys, of sshd_config and of the files that it includes.'
  desc 'rationale', 'Who reads a host key can pretend to be the node; who writes the configuration can open it.'
  desc 'check', 'Host keys belong to root and are not more open than 0640; configuration belongs to root and nobody else writes it.'
  desc 'fix', 'chown root and chmod 0600 the files that find names.'
  tag nist: ['AC-3', 'SC-12']
  only_if(reason) { reason.nil? }
  describe 'SSH host keys that are not private' do
    subject { keys.stdout.split("\n") }
    it { should be_empty }
  end
  describe 'SSH server configuration that others may write' do
    subject { config.stdout.split("\n") }
    it { should be_empty }
  end
end
