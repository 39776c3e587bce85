"""Slack's limits, each with the page that states it.

Page names are relative to docs.slack.dev/reference. Lengths are in characters.
"""

# methods/chat.postMessage, "Truncating content"
MESSAGE_TEXT = 40_000
# block-kit/blocks: up to 50 blocks in each message
BLOCKS = 50
# On no page. github.com/slackapi/bolt-js/issues/2509 measured 13,172 to 13,297 characters over
# all blocks of a message, depending on the kinds of blocks.
MESSAGE_BLOCKS_TEXT = 13_000
# block-kit/blocks: the field block_id of every block
BLOCK_ID = 255

# block-kit/blocks/header-block
HEADER_TEXT = 150
# block-kit/blocks/section-block
SECTION_TEXT = 3_000
SECTION_FIELDS = 10
SECTION_FIELD_TEXT = 2_000
# block-kit/blocks/context-block
CONTEXT_ELEMENTS = 10
# block-kit/composition-objects/text-object
TEXT_OBJECT = 3_000
# block-kit/blocks/actions-block
ACTIONS_ELEMENTS = 25
# block-kit/block-elements/button-element
BUTTON_TEXT = 75
# block-kit/blocks/markdown-block
MARKDOWN_TEXT = 12_000
# block-kit/blocks/table-block
TABLES = 1
TABLE_ROWS = 100
TABLE_COLUMNS = 20
TABLE_TEXT = 10_000
