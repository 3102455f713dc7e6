package example.ledger.report;

import static example.ledger.report.ReportAssertions.assertLines;
import static example.ledger.report.StatementFixture.aStatement;

import org.junit.jupiter.api.Test;

class PlainTextFormatterTest {

    private final PlainTextFormatter formatter = new PlainTextFormatter();

    @Test
    void format_writesARowForEachLine() {
        Statement statement = aStatement().withLine("2024-03-01", "Bread", "-4.00").build();

        String actual = formatter.format(statement);

        assertLines(
                actual,
                "assets:bank: 0.00 EUR",
                "2024-03-01  Bread                 -4.00 EUR",
                "closing: -4.00 EUR");
    }
}
