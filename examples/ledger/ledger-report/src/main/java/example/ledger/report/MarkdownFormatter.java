package example.ledger.report;

/** Writes statements as Markdown tables. */
public final class MarkdownFormatter extends StatementFormatter {

    @Override
    protected String header(Statement statement) {
        return "## " + statement.account() + "\n\n| date | text | amount |\n| --- | --- | --- |";
    }

    @Override
    protected String row(Statement.Line line) {
        String text = escape(line.description());
        return "| " + line.date() + " | " + text + " | " + line.amount() + " |";
    }

    @Override
    protected String footer(Statement statement) {
        return "\n**" + statement.closing() + "**";
    }

    private static String escape(String text) {
        return text.replace("|", "\\|");
    }
}
