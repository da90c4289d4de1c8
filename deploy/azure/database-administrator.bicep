// An administrator of the database server, by Entra. Used by foundation.bicep.
@description('Name of the flexible server, in this resource group.')
param serverName string

@description('Object id of the person, group or identity.')
param objectId string

@description('Its name, which is also its name as a user of the database.')
param principalName string

@allowed(['Group', 'ServicePrincipal', 'User'])
param principalType string

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2025-08-01' existing = {
  name: serverName
}

resource administrator 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2025-08-01' = {
  parent: server
  name: objectId
  properties: {
    principalName: principalName
    principalType: principalType
    tenantId: tenant().tenantId
  }
}
