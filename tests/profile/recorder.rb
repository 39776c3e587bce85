# frozen_string_literal: true

# Runs the control files of the profile on a made-up host. Prints as JSON what each control
# declares, why it skips, and how its expectations end. It knows only the part of InSpec's
# language that the profile uses. Any other word is a NoMethodError, which fails the test.
#
#   ruby recorder.rb host.json inputs.json controls/*.rb

require 'json'
require_relative 'host'
require_relative 'expectation'

# One control: its declarations, its reason to skip, its expectations.
class Control
  attr_reader :record

  def initialize(id, host, inputs)
    @host = host
    @inputs = inputs
    @record = { id: id, descs: {}, tags: {}, results: [], only_ifs: 0, skip: nil }
  end

  def title(text) = @record[:title] = text
  def impact(value) = @record[:impact] = value
  def tag(tags) = @record[:tags].merge!(tags.transform_keys(&:to_s))

  def desc(kind, text = nil)
    text ? @record[:descs][kind] = text : @record[:descs]['desc'] = kind
  end

  def only_if(message = nil)
    @record[:only_ifs] += 1
    @record[:skip] = message || '' unless yield
  end

  def describe(subject, &block)
    expectation = Expectation.new(subject)
    expectation.instance_eval(&block)
    @pending = (@pending || []) << expectation
  end

  # As in InSpec, a control that skips runs no expectations.
  def finish
    return if @record[:skip]

    @record[:results] = (@pending || []).flat_map(&:results)
  end

  def input(name) = @inputs.fetch(name)
  def command(line) = @host.command(line)
  def file(path) = @host.file(path)
  def systemd_service(name) = @host.service(name)
  def os = @host.os
end

# The words that a control file may use outside its controls.
class Profile
  attr_reader :controls

  def initialize(host, inputs)
    @host = host
    @inputs = inputs
    @controls = []
  end

  def control(id, &block)
    control = Control.new(id, @host, @inputs)
    control.instance_eval(&block)
    control.finish
    @controls << control.record
  end

  def command(line) = @host.command(line)
  def file(path) = @host.file(path)
  def os = @host.os
end

host, inputs, *files = ARGV
profile = Profile.new(Host.new(JSON.parse(File.read(host))), JSON.parse(File.read(inputs)))
files.each { |path| profile.instance_eval(File.read(path), path) }
puts JSON.generate(profile.controls)
