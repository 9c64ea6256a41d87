#ifndef PRESENCE_CLI_KAMAILIO_CONVERSIONS_H_
#define PRESENCE_CLI_KAMAILIO_CONVERSIONS_H_

namespace presence::cli {

class Conversion;

// What becomes of a parameter that a script sets, one function for each whose value matters. A
// value that has no equal here is never bent in silence: the row says so, or asks somebody to look.
void ConvertDbUrl(Conversion& conversion);
void ConvertTableName(Conversion& conversion);
void ConvertCleanPeriod(Conversion& conversion);
void ConvertCseqOffset(Conversion& conversion);
void ConvertDbUpdatePeriod(Conversion& conversion);
void ConvertWaitnTime(Conversion& conversion);
void ConvertNotifierProcesses(Conversion& conversion);
void ConvertForceDelete(Conversion& conversion);
void ConvertExpiresOffset(Conversion& conversion);
void ConvertMaxExpires(Conversion& conversion);
void ConvertMinExpires(Conversion& conversion);
void ConvertMinExpiresAction(Conversion& conversion);
void ConvertServerAddress(Conversion& conversion);
void ConvertSubsDbMode(Conversion& conversion);
void ConvertPublCache(Conversion& conversion);
void ConvertSendFastNotify(Conversion& conversion);
void ConvertSphereCheck(Conversion& conversion);
void ConvertTimeoutRmSubs(Conversion& conversion);
void ConvertFetchRows(Conversion& conversion);
void ConvertLogFacility(Conversion& conversion);
void ConvertXavpCfg(Conversion& conversion);
void ConvertRetrieveOrder(Conversion& conversion);
void ConvertRetrieveOrderBy(Conversion& conversion);
void ConvertSipUriMatch(Conversion& conversion);
void ConvertEnableDmq(Conversion& conversion);
void ConvertDeleteSameSubs(Conversion& conversion);

}  // namespace presence::cli

#endif  // PRESENCE_CLI_KAMAILIO_CONVERSIONS_H_
