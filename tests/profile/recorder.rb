# frozen_string_literal: true

# Runs the control files of the profile on a made-up host, and prints as JSON what each control
# says of itself, whether it skips and why, and how its expectations end. It knows as much of
# InSpec's language as the profile uses; any other word is a NoMethodError, and so a failed test.
#
#   ruby recorder.rb host.json inputs.json controls/*.rb

require 'json'
require_relative 'host'
require_relative 'expectation'

# One control: what it says of itself, its reason to skip, its expectations.
class Control
  attr_reader :told

  def initialize(id, host, inputs)
    @host = host
    @inputs = inputs
    @told = { id: id, descs: {}, tags: {}, results: [], only_ifs: 0, skip: nil }
  end

  def title(text) = @told[:title] = text
  def impact(value) = @told[:impact] = value
  def tag(tags) = @told[:tags].merge!(tags.transform_keys(&:to_s))

  def desc(kind, text = nil)
    text ? @told[:descs][kind] = text : @told[:descs]['desc'] = kind
  end

  def only_if(message = nil)
    @told[:only_ifs] += 1
    @told[:skip] = message || '' unless yield
  end

  def describe(subject, &block)
    expectation = Expectation.new(subject)
    expectation.instance_eval(&block)
    @pending = (@pending || []) << expectation
  end

  # As InSpec does: a control that skips runs none of its expectations.
  def finish
    return if @told[:skip]

    @told[:results] = (@pending || []).flat_map(&:results)
  end

  def input(name) = @inputs.fetch(name)
  def command(line) = @host.command(line)
  def file(path) = @host.file(path)
  def systemd_service(name) = @host.service(name)
  def os = @host.os
end

# The words that a control file may use outside of controls.
class Profile
  attr_reader :controls

  def initialize(host, inputs)
    @host = host
    @inputs = inputs
    @controls = []
  end

  def control(id, &block)
    made = Control.new(id, @host, @inputs)
    made.instance_eval(&block)
    made.finish
    @controls << made.told
  end

  def command(line) = @host.command(line)
  def file(path) = @host.file(path)
  def os = @host.os
end

host, inputs, *files = ARGV
profile = Profile.new(Host.new(JSON.parse(File.read(host))), JSON.parse(File.read(inputs)))
files.each { |path| profile.instance_eval(File.read(path), path) }
puts JSON.generate(profile.controls)
