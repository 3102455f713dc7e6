package example.ledger.report;

import static example.ledger.report.ReportAssertions.assertLines;
import static example.ledger.report.StatementFixture.aStatement;

import org.junit.jupiter.api.Test;

class MarkdownFormatterTest {

    @Test
    void format_writesATable() {
        Statement statement = aStatement().withLine("2024-03-01", "Bread", "-4.00").build();

        String actual = new MarkdownFormatter().format(statement);

        assertLines(
                actual,
                "## assets:bank",
                "",
                "| date | text | amount |",
                "| --- | --- | --- |",
                "| 2024-03-01 | Bread | -4.00 EUR |",
                "",
                "**-4.00 EUR**");
    }
}
