package shop;
import java.sql.ResultSet;
public class Jdbc { public ResultSet rs; public java.util.Date when() { return null; } public java.util.List<String> fq() { return null; } }
