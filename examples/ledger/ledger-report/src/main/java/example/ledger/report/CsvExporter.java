package example.ledger.report;

import example.ledger.book.TrialBalance;
import java.util.ArrayList;
import java.util.List;

/** Writes reports as comma-separated values, a header first. */
public final class CsvExporter {

    private final char separator;

    /** Separates fields by commas. */
    public CsvExporter() {
        this(',');
    }

    /** Separates fields by a character of choice. */
    public CsvExporter(char separator) {
        this.separator = separator;
    }

    /** Writes a row for each line of a statement. */
    public String export(Statement statement) {
        List<String> rows = new ArrayList<>();
        rows.add(row("date", "description", "amount"));
        for (Statement.Line line : statement.lines()) {
            String amount = line.amount().amount().toPlainString();
            rows.add(row(line.date().toString(), line.description(), amount));
        }
        return String.join("\n", rows);
    }

    /** Writes a row for each account of a trial balance. */
    public String export(TrialBalance balance) {
        List<String> rows = new ArrayList<>();
        rows.add(row("account", "debit", "credit"));
        for (TrialBalance.Line line : balance.lines()) {
            rows.add(row(line.account().path(), line.debit().toString(), line.credit().toString()));
        }
        return String.join("\n", rows);
    }

    /** Puts a field in quotes where it contains a separator, a quote or a line break. */
    private String quote(String field) {
        if (field.indexOf(separator) < 0 && !field.contains("\"") && !field.contains("\n")) {
            return field;
        }
        return '"' + field.replace("\"", "\"\"") + '"';
    }

    private String row(String... fields) {
        List<String> quoted = new ArrayList<>();
        for (String field : fields) {
            quoted.add(quote(field));
        }
        return String.join(String.valueOf(separator), quoted);
    }
}
