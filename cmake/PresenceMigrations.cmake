# Writes the migrations of sql/ into a source file, so that a program and the schema it needs cannot be parted:
#   cmake -DSQL_DIR=... -DMIGRATIONS=0001_presence,0002_... -DOUTPUT=... -P PresenceMigrations.cmake
string(REPLACE "," ";" steps "${MIGRATIONS}")
set(expected 0)
set(entries "")
foreach(step IN LISTS steps)
  math(EXPR expected "${expected} + 1")
  if(NOT step MATCHES "^0*([1-9][0-9]*)_([a-z0-9_]+)$" OR NOT CMAKE_MATCH_1 EQUAL expected)
    message(FATAL_ERROR "sql/${step}: the next migration is called ${expected}_name, with zeros before")
  endif()
  set(name ${CMAKE_MATCH_2})
  file(READ "${SQL_DIR}/${step}.sql" up)
  file(READ "${SQL_DIR}/${step}.down.sql" down)
  string(APPEND entries "      {${expected}, \"${name}\", R\"sql(${up})sql\", R\"sql(${down})sql\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "#include \"presence-core/storage/postgres/schema.h\"

namespace presence {

const std::vector<Migration>& Migrations() {
  static const auto* const kAll = new std::vector<Migration>{
${entries}  };
  return *kAll;
}

}  // namespace presence
")
