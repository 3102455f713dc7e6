package example.ledger.report;

/** Writes statements as Markdown tables. */
public final class MarkdownFormatter extends StatementFormatter {

    @Override
    protected String header(Statement statement) {
        return "## " + statement.account() + "\n\n| date | text | amount |\n| --- | --- | --- |";
    }

    @Override
    protected String row(Statement.Line line) {
        return "| " + line.date() + " | " + escape(line.description()) + " | " + line.amount() + " |";
    }

    @Override
    protected String footer(Statement statement) {
        return "\n**" + statement.closing() + "**";
    }

    /** Escapes the bars that would end a cell. */
    static String escape(String text) {
        return text.replace("|", "\\|");
    }
}
