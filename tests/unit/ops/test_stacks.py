from ops.stacks import inline_values

VALUES = {"Stage": "dev", "AWS::Region": "eu-central-1"}


def test_names_become_literal_so_that_existing_resources_can_be_imported() -> None:
    template = 'TableName: !Sub "ec2-inspec-scan-${Stage}-findings"'

    assert inline_values(template, VALUES) == 'TableName: "ec2-inspec-scan-dev-findings"'


def test_a_text_with_other_values_stays_a_function() -> None:
    template = 'Arn: !Sub "arn:${AWS::Partition}:sns:${AWS::Region}:x-${Stage}"'

    assert inline_values(template, VALUES) == (
        'Arn: !Sub "arn:${AWS::Partition}:sns:eu-central-1:x-dev"'
    )
