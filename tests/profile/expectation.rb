# frozen_string_literal: true

# One describe block: its subject, and the result of each expectation. One that skips is a result
# too, neither passed nor failed, as in InSpec.
class Expectation
  # A matcher, with the words that InSpec prints for it.
  Matcher = Struct.new(:words, :test) do
    # `cmp >= 5` applies the operator to the result of `cmp`.
    %i[<= >=].each do |operator|
      define_method(operator) do |limit|
        Matcher.new("cmp #{operator} #{limit}", ->(value) { value.to_i.public_send(operator, limit) })
      end
    end
  end

  def initialize(about)
    @about = about
    @subject = -> { about }
    @checks = []
  end

  def subject(&block) = @subject = block
  def it(&block) = @checks << block
  def skip(reason) = @skip = reason

  def results
    return [{ code_desc: @about.to_s, passed: nil, skip: @skip }] if @skip

    @checks.map do |check|
      sentence = Sentence.new(@subject.call)
      sentence.instance_eval(&check)
      { code_desc: "#{@about} is expected #{sentence.words}", passed: sentence.passed, skip: nil }
    end
  end

  # The content of an `it` block.
  class Sentence
    attr_reader :words, :passed

    def initialize(value)
      @value = value
    end

    def should(matcher) = judge("to #{matcher.words}", matcher.test.call(@value))
    def should_not(matcher) = judge("not to #{matcher.words}", !matcher.test.call(@value))

    def cmp(wanted = nil) = Matcher.new("cmp == #{wanted.inspect}", ->(value) { value.to_s.casecmp?(wanted.to_s) })
    def match(pattern) = Matcher.new("match #{pattern.inspect}", ->(value) { value.match?(pattern) })
    def be_empty = Matcher.new('be empty', :empty?.to_proc)
    def be_enabled = Matcher.new('be enabled', :enabled?.to_proc)
    def be_running = Matcher.new('be running', :running?.to_proc)
    def be_owned_by(user) = Matcher.new("be owned by #{user.inspect}", ->(file) { file.owner == user })

    def be_more_permissive_than(mode)
      Matcher.new("be more permissive than #{mode.inspect}", ->(file) { file.more_permissive_than?(mode) })
    end

    private

    def judge(words, passed)
      @words = words
      @passed = passed
    end
  end
end
