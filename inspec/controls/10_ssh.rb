# frozen_string_literal: true

sshd = %w[/usr/sbin/sshd /usr/local/sbin/sshd /sbin/sshd].find { |path| file(path).exist? }
root = command('id -u').stdout.strip == '0'

# Options of the sshd that runs come before its files: release 8 of the Red Hat family sets the
# ciphers there.
started = sshd ? command('timeout 20 ps -ww -C sshd -o args=').stdout.to_s.scrub.lines : []
listener = started.find { |line| line.match?(%r{\A\s*(?:sshd: )?/\S*sshd(?:\s|$)}) }.to_s
options = listener.scan(%r{\s-([of])\s*([\w=@.,+/:-]+)(?=\s|$)}).map { |flag, value| " -#{flag} #{value}" }.join

# What sshd itself says it would do for a login of root, drop-in files and Match blocks included.
login = 'user=root,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,lport=22'
shown = sshd && command("timeout 20 #{sshd} -T#{options} -C #{login}")
told =
  if shown && shown.exit_status.zero?
    shown.stdout.scrub.lines.map { |line| line.strip.split(/\s+/, 2) }.select { |pair| pair.size == 2 }
  else
    []
  end
settings = told.to_h

# The lines of each file of the configuration: keyword and value.
config = {}
unlisted = []
read_config = lambda do |path|
  next if config.key?(path) || config.size >= 100

  lines = file(path).content.to_s.scrub.lines.map { |line| line.strip.split(/[\s=]+/, 2) }
  config[path] = lines.select { |pair| pair.size == 2 }.map { |name, value| [name.downcase, value.delete('"').strip] }
  patterns = config[path].select { |name, _| name == 'include' }.flat_map { |_, value| value.split }
  patterns.map { |pattern| pattern.start_with?('/') ? pattern : "/etc/ssh/#{pattern}" }.each do |pattern|
    place = File.dirname(pattern)
    next unless file(place).exist?

    # Nothing that a shell would take for more than a name goes into a command.
    safe = pattern.match?(%r{\A[\w./@+-]*/[\w.@+*?-]+\z})
    found = safe && command("find -L #{place} -maxdepth 1 -type f -name '#{File.basename(pattern)}' -print")
    unlisted << pattern unless found && found.exit_status.zero?
    found.stdout.to_s.scrub.split("\n").sort.each { |name| read_config.call(name) } if found
  end
end
main = '/etc/ssh/sshd_config'
read_config.call(main) if file(main).exist?

# A Match block holds until the next one, or the end of its file.
blocks = config.values.flat_map do |lines|
  lines.slice_before { |name, _| name == 'match' }.select { |block| block.first.first == 'match' }
end
# Old name, same setting.
current = { 'challengeresponseauthentication' => 'kbdinteractiveauthentication' }
matched = blocks.map { |block| block.reverse.map { |name, value| [current.fetch(name, name), value] }.to_h }

# What holds for root here, and what holds where a Match block applies, whomever it is about.
scopes = [settings] + matched.map { |block| settings.merge(block) }
# The value that is not the wanted one, if there is one.
worst = ->(name, wanted) { scopes.map { |scope| scope[name] }.find { |value| value != wanted } || wanted }

# Whether a login needs nothing but a password: AuthenticationMethods may ask for a key as well.
by_password = lambda do |scope|
  lists = scope.fetch('authenticationmethods', 'any').split
  lists.any? { |list| list.split(',').all? { |method| method.match?(/\A(any|none|password|keyboard-interactive)(:|\z)/) } }
end

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
    subject { worst.call('permitrootlogin', 'no') }
    it { should cmp 'no' }
  end
end

control 'ec2-ssh-02' do
  keyboard = lambda do |scope|
    asks = scope.values_at('kbdinteractiveauthentication', 'challengeresponseauthentication').include?('yes')
    asks && scope['usepam'] == 'yes' && by_password.call(scope)
  end
  impact 0.7
  title 'SSH must not allow logins by password'
  desc 'The effective values of PasswordAuthentication and of keyboard-interactive logins, which PAM lets ask for a password.'
  desc 'rationale', 'Passwords are guessed and reused; keys and Session Manager are not.'
  desc 'check', 'sshd -T prints "passwordauthentication no", and "kbdinteractiveauthentication no" or "usepam no". Either may be on where AuthenticationMethods always asks for a key too.'
  desc 'fix', 'Set PasswordAuthentication no and KbdInteractiveAuthentication no (ChallengeResponseAuthentication before OpenSSH 8.7) and reload sshd. Cloud images often set them in sshd_config.d.'
  tag nist: ['AC-17', 'IA-5 (1)']
  only_if(unseen.call('passwordauthentication')) { unseen.call('passwordauthentication').nil? }
  describe 'sshd setting PasswordAuthentication' do
    subject { scopes.any? { |scope| scope['passwordauthentication'] != 'no' && by_password.call(scope) } ? 'yes' : 'no' }
    it { should cmp 'no' }
  end
  if unseen.call('kbdinteractiveauthentication') && unseen.call('challengeresponseauthentication')
    describe 'keyboard-interactive logins of sshd by PAM' do
      skip 'sshd -T did not show kbdinteractiveauthentication'
    end
  else
    describe 'keyboard-interactive logins of sshd by PAM' do
      subject { scopes.any?(&keyboard) ? 'yes' : 'no' }
      it { should cmp 'no' }
    end
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
    subject { worst.call('permitemptypasswords', 'no') }
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
    subject { scopes.map { |scope| scope['maxauthtries'].to_i }.max }
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
    subject { worst.call('x11forwarding', 'no') }
    it { should cmp 'no' }
  end
end

control 'ec2-ssh-06' do
  no_ciphers = unseen.call('ciphers')
  no_macs = unseen.call('macs')
  impact 0.7
  title 'SSH must not offer broken ciphers or MACs'
  desc 'The effective lists of ciphers and of message authentication codes.'
  desc 'rationale', 'CBC modes, RC4, 3DES, MD5, SHA-1 and 64-bit codes have practical or near-practical attacks.'
  desc 'check', 'sshd -T prints neither cbc, arcfour or 3des in ciphers, nor md5, sha1, ripemd or umac-64 in macs.'
  desc 'fix', 'Set Ciphers and MACs to lists without them, or choose a stricter crypto policy, and reload sshd.'
  tag nist: ['AC-17 (2)', 'SC-13']
  only_if(no_ciphers) { no_ciphers.nil? || no_macs.nil? }
  describe 'broken ciphers that sshd offers' do
    if no_ciphers
      skip no_ciphers
    else
      subject { settings['ciphers'].to_s.split(',').grep(/cbc|arcfour|3des|blowfish|cast128/) }
      it { should be_empty }
    end
  end
  describe 'broken MACs that sshd offers' do
    if no_macs
      skip no_macs
    else
      subject { settings['macs'].to_s.split(',').grep(/md5|sha1|ripemd|umac-64/) }
      it { should be_empty }
    end
  end
end

control 'ec2-ssh-07' do
  # Symbolic links are followed, here and for the configuration: what counts is the file behind them.
  named = told.select { |name, _| name == 'hostkey' }.map(&:last).grep(%r{\A/[\w./@+-]+\z})
  elsewhere = named.reject { |path| path.end_with?('.pub') || !file(path).exist? }
  meant = ["-name 'ssh_host_*_key'", *elsewhere.map { |path| "-path '#{path}'" }].join(' -o ')
  # A group may read host keys: on the Red Hat family that is ssh_keys.
  keys = command("find -L #{['/etc/ssh', *elsewhere].join(' ')} -maxdepth 1 -type f '(' #{meant} ')' '(' ! -user root -o -perm /0037 ')' -print")
  # Who writes a directory can replace its files.
  places = [*config.keys, *config.keys.map { |path| File.dirname(path) }, '/etc/ssh/sshd_config.d'].uniq
  held = places.select { |path| path.match?(%r{\A/[\w./@+-]+\z}) && file(path).exist? }
  files = held.any? && command("find -L #{held.join(' ')} -maxdepth 0 '(' ! -user root -o -perm /0022 ')' -print")
  exposed = keys.stdout.to_s.scrub.split("\n")
  writable = files ? files.stdout.to_s.scrub.split("\n") : []
  # What was found is so, even if not everything could be looked at.
  no_keys = keys.exit_status.zero? || exposed.any? ? nil : 'the host keys could not be looked at'
  seen = files && files.exit_status.zero? && unlisted.empty?
  no_config = seen || writable.any? ? nil : 'the configuration of sshd could not be looked at'
  reason =
    if sshd.nil?
      'the OpenSSH server is not installed'
    elsif !root
      'only root can look at host keys'
    else
      no_keys && no_config
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
    if no_keys
      skip no_keys
    else
      subject { exposed }
      it { should be_empty }
    end
  end
  describe 'SSH server configuration that others may write' do
    if no_config
      skip no_config
    else
      subject { writable }
      it { should be_empty }
    end
  end
end
