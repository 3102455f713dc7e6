package example.ledger.report;

/** How spending stands to its limit. */
public enum BudgetStatus {
    NO_LIMIT,
    IN_BUDGET,
    USED_UP,
    EXCEEDED
}
