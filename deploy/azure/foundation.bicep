// What lasts: identity, secrets, logs, network and database. Deploy it first, then give the identity its permissions and put the secrets
// into the vault, then deploy app.bicep. docs/running.md has the commands.
targetScope = 'resourceGroup'

@description('Beginning of the names of all resources. The names of vault and database server are in use worldwide, so a part that depends on the resource group follows.')
@minLength(2)
@maxLength(10)
param name string = 'als'

@description('Region of all resources.')
param location string = resourceGroup().location

@description('Name of the Azure Container Registry that has the image, in this resource group. Empty: the image is pulled without signing in.')
param registryName string = ''

@description('Addresses of the virtual network. The subnets are its first and second /24.')
param addressPrefix string = '10.64.0.0/16'

@description('Size of the database server. The state of 10,000 people took 97 MB after the first run; the smallest size is a good start.')
param databaseSku string = 'Standard_B1ms'

@description('Tier of databaseSku. High availability needs GeneralPurpose or MemoryOptimized.')
@allowed(['Burstable', 'GeneralPurpose', 'MemoryOptimized'])
param databaseTier string = 'Burstable'

@description('A second server that has each commit (synchronous replication) and takes over: in another zone, in the same one, or none.')
@allowed(['Disabled', 'SameZone', 'ZoneRedundant'])
param highAvailability string = 'Disabled'

@description('Days to which the database can be brought back.')
@minValue(7)
@maxValue(35)
param backupRetentionDays int = 14

@description('People who administer the database server: { objectId, name, type: User or Group }. The identity of the program is always one.')
param databaseAdministrators databaseAdministrator[] = []

@description('Days for which logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

type databaseAdministrator = {
  objectId: string
  name: string
  type: 'User' | 'Group'
}

var unique = '${name}-${uniqueString(resourceGroup().id)}'
var vaultSecretsUser = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-17de-408a-b874-0445c86b69e6')
var registryPull = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '7f951dda-4ed3-4680-a7ca-43fe172d538d')

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: '${name}-identity'
  location: location
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: unique
  location: location
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enablePurgeProtection: true
    softDeleteRetentionInDays: 90
  }
}

resource readSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, identity.id, vaultSecretsUser)
  scope: vault
  properties: {
    roleDefinitionId: vaultSecretsUser
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = {
  name: empty(registryName) ? 'none' : registryName
}

resource pullImages 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(registryName)) {
  name: guid(resourceGroup().id, registryName, identity.id, registryPull)
  scope: registry
  properties: {
    roleDefinitionId: registryPull
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: '${name}-logs'
  location: location
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: logRetentionDays
  }
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: '${name}-network'
  location: location
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'apps'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 24, 0)
          delegations: [
            { name: 'apps', properties: { serviceName: 'Microsoft.App/environments' } }
          ]
        }
      }
      {
        name: 'database'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 24, 1)
          delegations: [
            { name: 'database', properties: { serviceName: 'Microsoft.DBforPostgreSQL/flexibleServers' } }
          ]
        }
      }
    ]
  }

  resource apps 'subnets' existing = {
    name: 'apps'
  }

  resource databases 'subnets' existing = {
    name: 'database'
  }
}

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: '${name}.private.postgres.database.azure.com'
  location: 'global'
}

resource zoneLink 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: zone
  name: '${name}-network'
  location: 'global'
  properties: {
    registrationEnabled: false
    virtualNetwork: { id: network.id }
  }
}

// Reachable from the virtual network alone, and only with a token of Entra: there is no password.
resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2025-08-01' = {
  name: unique
  location: location
  sku: { name: databaseSku, tier: databaseTier }
  properties: {
    version: '17'
    storage: { storageSizeGB: 32, autoGrow: 'Enabled' }
    authConfig: { activeDirectoryAuth: 'Enabled', passwordAuth: 'Disabled', tenantId: tenant().tenantId }
    network: {
      delegatedSubnetResourceId: network::databases.id
      privateDnsZoneArmResourceId: zone.id
      publicNetworkAccess: 'Disabled'
    }
    backup: { backupRetentionDays: backupRetentionDays, geoRedundantBackup: 'Disabled' }
    highAvailability: { mode: highAvailability }
  }
  dependsOn: [zoneLink]
}

resource database 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2025-08-01' = {
  parent: server
  name: 'als'
  properties: { charset: 'UTF8', collation: 'en_US.utf8' }
}

// The name of an administrator is an object id, which is known only when the identity exists: hence a module. The server takes one
// change at a time.
module identityAsAdministrator 'database-administrator.bicep' = {
  name: '${name}-database-identity'
  params: {
    serverName: server.name
    objectId: identity.properties.principalId
    principalName: identity.name
    principalType: 'ServicePrincipal'
  }
  dependsOn: [database]
}

@batchSize(1)
module people 'database-administrator.bicep' = [
  for person in databaseAdministrators: {
    name: '${name}-database-${uniqueString(person.objectId)}'
    params: {
      serverName: server.name
      objectId: person.objectId
      principalName: person.name
      principalType: person.type
    }
    dependsOn: [identityAsAdministrator]
  }
]

@description('Object id of the identity, which needs the permissions of Microsoft Graph.')
output identityPrincipalId string = identity.properties.principalId

@description('Client id of the identity.')
output identityClientId string = identity.properties.clientId

@description('Name of the vault, for "az keyvault secret set".')
output vaultName string = vault.name

@description('Parameters of app.bicep.')
output app object = {
  identityName: identity.name
  vaultName: vault.name
  workspaceName: workspace.name
  subnetId: network::apps.id
  databaseHost: server.properties.fullyQualifiedDomainName
}
