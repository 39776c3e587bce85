from ops.stacks import written_out

VALUES = {"Stage": "dev", "AWS::Region": "eu-central-1"}


def test_names_are_written_out_so_that_existing_resources_can_be_taken_in() -> None:
    template = 'TableName: !Sub "ec2-inspec-scan-${Stage}-findings"'
    assert written_out(template, VALUES) == 'TableName: "ec2-inspec-scan-dev-findings"'


def test_a_text_that_needs_more_stays_a_function() -> None:
    template = 'Arn: !Sub "arn:${AWS::Partition}:sns:${AWS::Region}:x-${Stage}"'
    assert written_out(template, VALUES) == (
        'Arn: !Sub "arn:${AWS::Partition}:sns:eu-central-1:x-dev"'
    )
