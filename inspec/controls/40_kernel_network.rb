# frozen_string_literal: true

# The value that the kernel uses now; nil where this kernel or container shows none.
kernel = lambda do |name|
  text = file("/proc/sys/#{name.tr('.', '/')}").content
  text && text.strip.empty? ? nil : text&.strip
end
unseen = ->(*names) { names.all? { |name| kernel.call(name).nil? } ? "the kernel does not show #{names.first}" : nil }

control 'ec2-kern-01' do
  impact 0.7
  title 'Address space layout randomisation must be on'
  desc 'kernel.randomize_va_space'
  desc 'rationale', 'Without it an exploit knows where in memory everything is.'
  desc 'check', 'sysctl kernel.randomize_va_space prints 2.'
  desc 'fix', 'Set kernel.randomize_va_space = 2 in /etc/sysctl.d and run sysctl --system.'
  tag nist: ['SI-16']
  only_if(unseen.call('kernel.randomize_va_space')) { unseen.call('kernel.randomize_va_space').nil? }
  describe 'kernel.randomize_va_space' do
    subject { kernel.call('kernel.randomize_va_space') }
    it { should cmp 2 }
  end
end

control 'ec2-kern-02' do
  names = %w[all default].flat_map { |where| ["net.ipv4.conf.#{where}.accept_redirects", "net.ipv6.conf.#{where}.accept_redirects"] }
  # An interface keeps its own value; all and default do not say what it is.
  shown = command('grep -rsH . --include=accept_redirects --include=forwarding /proc/sys/net/ipv4/conf /proc/sys/net/ipv6/conf')
  values = shown.stdout.to_s.scrub.scan(%r{^/proc/sys/(net/ipv[46]/conf/.+/\w+):(\S+)}).to_h
  # The interface of a router ignores redirects, and nothing comes from outside through lo.
  interfaces = values.keys.grep(%r{/accept_redirects\z}).reject do |name|
    name.match?(%r{/conf/(all|default|lo)/}) || values[name.sub('accept_redirects', 'forwarding')].to_i.positive?
  end
  open = names.reject { |name| [nil, '0'].include?(kernel.call(name)) } + interfaces.reject { |name| values[name] == '0' }
  reason = open.empty? ? unseen.call(*names) : nil
  impact 0.5
  title 'ICMP redirects must not be accepted'
  desc 'accept_redirects of IPv4 and IPv6, for all interfaces and for new ones.'
  desc 'rationale', 'A redirect lets a neighbour send the traffic of the node through itself.'
  desc 'check', 'sysctl prints 0 for net.ipv4.conf.all.accept_redirects and its like, those of each interface that does not forward among them.'
  desc 'fix', 'Set them to 0 in /etc/sysctl.d and run sysctl --system.'
  tag nist: ['SC-5', 'SC-7']
  only_if(reason) { reason.nil? }
  describe 'kernel settings that accept ICMP redirects' do
    subject { open }
    it { should be_empty }
  end
end

control 'ec2-kern-03' do
  names = %w[all default].flat_map { |where| ["net.ipv4.conf.#{where}.accept_source_route", "net.ipv6.conf.#{where}.accept_source_route"] }
  impact 0.5
  title 'Source-routed packets must not be accepted'
  desc 'accept_source_route of IPv4 and IPv6, for all interfaces and for new ones.'
  desc 'rationale', 'Source routing lets the sender choose a way around the filters.'
  desc 'check', 'sysctl prints 0 (IPv6: 0 or less) for net.ipv4.conf.all.accept_source_route and its like.'
  desc 'fix', 'Set them to 0 in /etc/sysctl.d and run sysctl --system.'
  tag nist: ['SC-5', 'SC-7']
  only_if(unseen.call(*names)) { unseen.call(*names).nil? }
  describe 'kernel settings that accept source-routed packets' do
    subject { names.reject { |name| kernel.call(name).nil? || kernel.call(name).to_i <= 0 } }
    it { should be_empty }
  end
end

control 'ec2-kern-04' do
  impact 0.5
  title 'TCP SYN cookies must be on'
  desc 'net.ipv4.tcp_syncookies'
  desc 'rationale', 'With them a flood of half-open connections does not shut everybody else out.'
  desc 'check', 'sysctl net.ipv4.tcp_syncookies prints 1 or 2.'
  desc 'fix', 'Set net.ipv4.tcp_syncookies = 1 in /etc/sysctl.d and run sysctl --system.'
  tag nist: ['SC-5']
  only_if(unseen.call('net.ipv4.tcp_syncookies')) { unseen.call('net.ipv4.tcp_syncookies').nil? }
  describe 'net.ipv4.tcp_syncookies' do
    subject { kernel.call('net.ipv4.tcp_syncookies') }
    it { should cmp >= 1 }
  end
end

control 'ec2-kern-05' do
  names = %w[kernel.kptr_restrict kernel.dmesg_restrict]
  open = names.select { |name| kernel.call(name).to_s == '0' }
  # One that is not shown may be the one that is open.
  hidden = names.reject { |name| kernel.call(name) }
  reason = open.empty? && hidden.any? ? "the kernel does not show #{hidden.first}" : nil
  impact 0.3
  title 'Kernel pointers and messages must be restricted'
  desc 'kernel.kptr_restrict and kernel.dmesg_restrict'
  desc 'rationale', 'Both tell an unprivileged process where the kernel is in memory.'
  desc 'check', 'sysctl prints 1 or more for both.'
  desc 'fix', 'Set kernel.kptr_restrict = 1 and kernel.dmesg_restrict = 1 in /etc/sysctl.d and run sysctl --system.'
  tag nist: ['SI-11', 'SI-16']
  only_if(reason) { reason.nil? }
  describe 'kernel settings that show where the kernel is' do
    subject { open }
    it { should be_empty }
  end
end

control 'ec2-net-01' do
  ports = input('clear_text_ports').map(&:to_s)
  listening = command('timeout 20 ss -ltn')
  # The address and port of each listener; what only the node itself reaches is left out.
  open = listening.stdout.to_s.scrub.lines.map { |line| line.split[3].to_s.rpartition(':').values_at(0, 2) }
  outside = open.reject { |address, _| address.start_with?('127.', '[::1]', '[::ffff:127.') }
  # Without a listener ss still prints its header.
  shown = listening.exit_status.zero? && !listening.stdout.strip.empty?
  reason = shown ? nil : 'ss is not installed or did not show the listeners'
  impact 0.7
  title 'No clear-text remote access must be listening'
  desc 'TCP listeners of the input clear_text_ports: FTP, telnet, rexec, rlogin, rsh.'
  desc 'rationale', 'Their passwords and sessions can be read and taken over on the way.'
  desc 'check', 'ss -ltn shows none of the ports on an address that others reach.'
  desc 'fix', 'Remove the service, and use SSH or Session Manager.'
  tag nist: ['AC-17 (2)', 'CM-7', 'SC-8']
  only_if(reason) { reason.nil? }
  describe 'clear-text remote access that is listening' do
    subject { outside.map(&:last).uniq & ports }
    it { should be_empty }
  end
end
