package example.ledger.report;

import java.util.StringJoiner;

/** Writes statements as text; a subclass says what the parts look like. */
public abstract class StatementFormatter {

    /** Writes a statement: its header, a row for each line, its footer. */
    public final String format(Statement statement) {
        StringJoiner text = new StringJoiner("\n");
        text.add(header(statement));
        for (Statement.Line line : statement.lines()) {
            text.add(row(line));
        }
        text.add(footer(statement));
        return text.toString();
    }

    /** Writes what comes before the lines. */
    protected abstract String header(Statement statement);

    /** Writes one line. */
    protected abstract String row(Statement.Line line);

    /** Writes what comes after the lines. */
    protected abstract String footer(Statement statement);
}
