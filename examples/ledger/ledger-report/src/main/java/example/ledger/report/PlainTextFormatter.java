package example.ledger.report;

/** Writes statements in columns for a terminal. */
public final class PlainTextFormatter extends StatementFormatter {

    private static final int WIDTH = 20;

    @Override
    protected String header(Statement statement) {
        return statement.account() + ": " + statement.opening();
    }

    @Override
    protected String row(Statement.Line line) {
        return line.date() + "  " + fit(line.description()) + "  " + line.amount();
    }

    @Override
    protected String footer(Statement statement) {
        return "closing: " + statement.closing();
    }

    private static String fit(String text) {
        if (text.length() > WIDTH) {
            return text.substring(0, WIDTH - 3) + "...";
        }
        return text + " ".repeat(WIDTH - text.length());
    }
}
