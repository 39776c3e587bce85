# frozen_string_literal: true

unseen = ->(path) { file(path).exist? ? nil : "#{path} does not exist or cannot be seen" }

control 'ec2-file-01' do
  impact 0.7
  title '/etc/passwd must belong to root and be at most 0644'
  desc 'Owner and mode of /etc/passwd.'
  desc 'rationale', 'Who writes it can become root.'
  desc 'check', 'stat /etc/passwd shows owner root and a mode that is not more open than 0644.'
  desc 'fix', 'chown root:root /etc/passwd and chmod 0644 /etc/passwd'
  tag nist: ['AC-3', 'AC-6']
  only_if(unseen.call('/etc/passwd')) { unseen.call('/etc/passwd').nil? }
  describe file('/etc/passwd') do
    it { should be_owned_by 'root' }
    it { should_not be_more_permissive_than('0644') }
  end
end

control 'ec2-file-02' do
  impact 0.7
  title '/etc/group must belong to root and be at most 0644'
  desc 'Owner and mode of /etc/group.'
  desc 'rationale', 'Who writes it can join the groups that may use sudo.'
  desc 'check', 'stat /etc/group shows owner root and a mode that is not more open than 0644.'
  desc 'fix', 'chown root:root /etc/group and chmod 0644 /etc/group'
  tag nist: ['AC-3', 'AC-6']
  only_if(unseen.call('/etc/group')) { unseen.call('/etc/group').nil? }
  describe file('/etc/group') do
    it { should be_owned_by 'root' }
    it { should_not be_more_permissive_than('0644') }
  end
end

control 'ec2-file-03' do
  impact 0.7
  title '/etc/shadow must belong to root and be at most 0640'
  desc 'Owner and mode of /etc/shadow. Debian lets the group shadow read it.'
  desc 'rationale', 'Password hashes that can be read can be guessed at leisure.'
  desc 'check', 'stat /etc/shadow shows owner root and a mode that is not more open than 0640.'
  desc 'fix', 'chown root /etc/shadow and chmod 0640 /etc/shadow (0000 on the Red Hat family)'
  tag nist: ['AC-3', 'IA-5']
  only_if(unseen.call('/etc/shadow')) { unseen.call('/etc/shadow').nil? }
  describe file('/etc/shadow') do
    it { should be_owned_by 'root' }
    it { should_not be_more_permissive_than('0640') }
  end
end

control 'ec2-file-04' do
  impact 0.7
  title '/etc/gshadow must belong to root and be at most 0640'
  desc 'Owner and mode of /etc/gshadow.'
  desc 'rationale', 'It holds the hashes of group passwords and the administrators of groups.'
  desc 'check', 'stat /etc/gshadow shows owner root and a mode that is not more open than 0640.'
  desc 'fix', 'chown root /etc/gshadow and chmod 0640 /etc/gshadow (0000 on the Red Hat family)'
  tag nist: ['AC-3', 'IA-5']
  only_if(unseen.call('/etc/gshadow')) { unseen.call('/etc/gshadow').nil? }
  describe file('/etc/gshadow') do
    it { should be_owned_by 'root' }
    it { should_not be_more_permissive_than('0640') }
  end
end

control 'ec2-file-05' do
  found = command('timeout 120 find / -xdev -type d -perm -0002 ! -perm -1000 -print')
  open = found.stdout.to_s.scrub.split("\n")
  # 1: some directory could not be entered. 124: the time was up, and the list is a part. What a
  # part shows is so nevertheless.
  reason =
    if open.any?
      nil
    elsif command('id -u').stdout.strip != '0'
      'only root can look at all directories'
    elsif ![0, 1].include?(found.exit_status)
      'the directories could not be listed in two minutes'
    end
  impact 0.5
  title 'World-writable directories must have the sticky bit'
  desc 'Directories of the root file system that everybody writes.'
  desc 'rationale', 'Without the bit everybody may delete and replace the files of everybody else.'
  desc 'check', 'find / -xdev -type d -perm -0002 ! -perm -1000 prints nothing.'
  desc 'fix', 'chmod +t, or take the right to write from others.'
  tag nist: ['AC-3', 'AC-6']
  only_if(reason) { reason.nil? }
  describe 'world-writable directories without the sticky bit' do
    subject { open.first(20) }
    it { should be_empty }
  end
end
