# frozen_string_literal: true

# A made-up host: the output of its commands, its files and its services. An unknown command is
# not installed on the host.
class Host
  Result = Struct.new(:exit_status, :stdout)
  System = Struct.new(:family, :name) do
    def debian? = family == 'debian'
  end

  # A file, like InSpec's resource `file`.
  class Entry
    def initialize(path, facts)
      @path = path
      @facts = facts
    end

    def exist? = !@facts.nil?
    def content = @facts && @facts['content']
    def to_s = "File #{@path}"
    def owner = @facts['owner'] || 'root'

    def more_permissive_than?(most) = (@facts['mode'].to_i(8) & ~most.to_i(8)).positive?
  end

  # A service, like InSpec's resource `systemd_service`.
  class Service
    def initialize(name, states)
      @name = name
      @states = states
    end

    def running? = @states.include?('running')
    def enabled? = @states.include?('enabled')
    def to_s = "Service #{@name}"
  end

  def initialize(facts)
    @facts = facts
  end

  def os = System.new(@facts['family'], @facts['name'])
  def file(path) = Entry.new(path, @facts['files'][path])
  def service(name) = Service.new(name, @facts['services'][name] || [])

  def command(line)
    known = @facts['commands'].find { |pattern, _| line.match?(Regexp.new(pattern)) }
    status, stdout = known ? known.last : [127, '']
    Result.new(status, stdout)
  end
end
